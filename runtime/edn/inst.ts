const INST =
  /^(\d{4})(?:-(\d\d)(?:-(\d\d)(?:T(\d\d)(?::(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?)?)?)?(?:Z|([-+])(\d\d):(\d\d))?$/

/** The instant of an `#inst` text, by the rules of clojure.instant; `undefined` if it is none. */
export function parseInst(text: string): Date | undefined {
  const match = INST.exec(text)
  if (match === null) return undefined
  const field = (index: number, absent: number) =>
    match[index] === undefined ? absent : Number(match[index])
  const [year, month, day] = [field(1, 0), field(2, 1), field(3, 1)]
  const [hour, minute, second] = [field(4, 0), field(5, 0), field(6, 0)]
  const [offsetHour, offsetMinute] = [field(9, 0), field(10, 0)]
  if (month < 1 || month > 12 || day < 1 || day > daysIn(year, month)) return undefined
  // A leap second is allowed where one can be.
  if (hour > 23 || minute > 59 || second > (minute === 59 ? 60 : 59)) return undefined
  if (offsetHour > 23 || offsetMinute > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  // Below a millisecond a Date holds nothing.
  date.setUTCHours(hour, minute, second, Number((match[7] ?? '').slice(0, 3).padEnd(3, '0')))
  const offset = (match[8] === '-' ? -1 : 1) * (offsetHour * 60 + offsetMinute)
  return new Date(date.getTime() - offset * 60_000)
}

/** The text for `#inst`; `undefined` for a date it cannot say: an invalid one or one outside the years 0–9999. */
export function formatInst(date: Date): string | undefined {
  // By the methods of Date itself: a class may have others.
  if (Number.isNaN(Date.prototype.getTime.call(date))) return undefined
  const iso = Date.prototype.toISOString.call(date)
  return iso.length === 24 ? iso.slice(0, -1) + '-00:00' : undefined
}

function daysIn(year: number, month: number): number {
  if (month === 2) return year % 4 === 0 && (year % 100 !== 0 || year % 400 === 0) ? 29 : 28
  return month === 4 || month === 6 || month === 9 || month === 11 ? 30 : 31
}
