import { parseChar, parseNumber, parseSymbolic } from './atoms.ts'
import { keyword, keywordText, symbol, tagName } from './cache.ts'
import { CHAR, CLASS, CLOSE, COMMENT, DIGIT, ENDS, HASH, KEYWORD, LIST, MAP, META, SIGN } from './chars.ts'
import { SPACE, STRING, SYMBOL, VECTOR } from './chars.ts'
import { EdnSet } from './collections.ts'
import { plainEnd } from './escapes.ts'
import { items, NO_FIELDS } from './field-names.ts'
import {
  CLOSER,
  DISCARD,
  FIELD_NAME,
  FIELD_VALUE,
  IN_LIST,
  IN_SET,
  IN_VECTOR,
  MAP_KEY,
  MAP_VALUE,
  misfit,
  OBJECT_KEY,
} from './frames.ts'
import { OBJECT_VALUE, SKIP_KEY, SKIP_LIST, SKIP_SET, SKIP_TAG, SKIP_TOP, SKIP_VALUE } from './frames.ts'
import { SKIP_VECTOR, TAG, TOP } from './frames.ts'
import { Keyword } from './keyword.ts'
import { atomEnd, isDigit } from './names.ts'
import { setOwn, toMap } from './objects.ts'
import { IN_COMMENT, IN_STRING, READY, TO_NEXT_LINE } from './modes.ts'
import { resume } from './resume.ts'
import type { ReaderState } from './state.ts'
import { CLOSED, MORE, NEAR_UNITS } from './strings.ts'
import { List } from './values.ts'

/** `#wat/req [`, or `#wat/rep [`: its length, and its tag where it stands there. */
const FRAME_UNITS = 10

function frameAt(units: Uint16Array, at: number): string | undefined {
  const differs =
    (units[at + 1]! ^ 119) |
    (units[at + 2]! ^ 97) |
    (units[at + 3]! ^ 116) |
    (units[at + 4]! ^ 47) |
    (units[at + 5]! ^ 114) |
    (units[at + 6]! ^ 101) |
    (units[at + 8]! ^ 32) |
    (units[at + 9]! ^ 91)
  if (differs !== 0) return undefined
  return units[at + 7] === 113 ? 'wat/req' : units[at + 7] === 112 ? 'wat/rep' : undefined
}

/** Held in place of a vector, whose items stand among the values until it is closed. */
const IN_VALUES = {}

const POWERS_OF_TEN = Array.from({ length: 16 }, (_, power) => 10 ** power)

/**
 * Reads on in the current text of the source. True: a top-level value is complete. False: the text is used up,
 * but for the start of an atom, which the source carries over. One function, for speed: what it goes by is kept
 * in local variables, and put back into `state` where it leaves.
 */
export function scan(state: ReaderState): boolean {
  const { source, kinds, held, keys, masks, bases, values } = state
  const { text } = source
  const units = source.units.array
  const classes = CLASS
  let pos = source.pos
  if (source.invalid && state.mode !== TO_NEXT_LINE) state.fail('invalid UTF-8', pos, pos, source.cut)
  let end = state.limit()
  let resumed = false
  if (state.mode !== READY) {
    resumed = resume(state, end)
    pos = source.pos
    if (state.mode !== READY) {
      if (end < text.length) state.tooLarge()
      return false
    }
  }
  let depth = state.depth
  let kind = kinds[depth]!
  let into: any = held[depth]
  let key: any = keys[depth]
  let mask = masks[depth]!
  let count = state.count
  let start = resumed ? -1 : pos
  let value: any = resumed ? state.value : undefined
  state.value = undefined

  reading: for (;;) {
    let unit = 0
    let opens = TOP
    let child: any
    if (resumed) {
      resumed = false
    } else {
      if (pos >= end) break
      unit = units[pos]!
      if (unit === 32 && pos + 1 < end) unit = units[++pos]! // mostly there is one, and only one
      const cls = classes[unit]! & ~ENDS
      if (cls === SPACE) {
        pos++
        continue
      }
      if (cls === COMMENT) {
        const lf = text.indexOf('\n', pos)
        if (lf === -1 || lf >= end) {
          state.mode = IN_COMMENT
          pos = end
          break
        }
        pos = lf + 1
        continue
      }
      if (depth === 0 && !state.inForm) end = state.formStarts(pos)
      start = pos
      let token = cls
      if (cls === SIGN) {
        if (pos + 1 === end && state.open(end)) break
        token = pos + 1 < end && isDigit(units[pos + 1]!) ? DIGIT : SYMBOL
      }
      switch (token) {
        case KEYWORD: {
          let at = pos + 1
          const likely = kind === FIELD_NAME ? into.likely : undefined
          if (likely !== undefined) {
            const { codes } = likely
            const over = at + codes.length
            if (over < end) {
              let i = 0
              while (at < over && units[at] === codes[i]) {
                at++
                i++
              }
              if (at === over && classes[units[at]!]! >= ENDS) {
                into = likely
                kind = FIELD_VALUE
                pos = at
                continue
              }
              at = pos + 1
            }
          }
          let hash = 0
          while (at < end && classes[(unit = units[at]!)]! < ENDS) {
            hash = (Math.imul(hash, 31) + unit) | 0
            at++
          }
          if (at === end && state.open(end)) break reading
          const name = keywordText(text, units, pos + 1, at, hash)
          if (name === '') state.fail('not a keyword', start, at)
          pos = at
          if (kind === FIELD_NAME) {
            const more = into.with(name)
            if (more === 'duplicate') state.fail(`duplicate key :${name}`, start, pos)
            if (more !== undefined) {
              into = more
              kind = FIELD_VALUE
              continue
            }
            count = bases[depth]!
            into = into.object(values, count)
            mask = -1
            kind = OBJECT_KEY
          }
          if (kind === OBJECT_KEY) {
            const bit = 1 << hash
            if ((mask & bit) !== 0 && Object.hasOwn(into, name))
              state.fail(`duplicate key :${name}`, start, pos)
            mask |= bit
            key = name
            kind = OBJECT_VALUE
            continue
          }
          value = keyword(name, hash)
          break
        }
        case STRING: {
          const near = pos + NEAR_UNITS < end ? pos + NEAR_UNITS : end
          let at = pos + 1
          while (at < near && (unit = units[at]!) !== 34 && unit !== 92) at++
          if (at === near && near < end) unit = units[(at = plainEnd(text, at, end))]!
          if (at < end && unit === 34) {
            value = text.slice(pos + 1, at)
            pos = at + 1
            break
          }
          const stop = state.string.scan(source, pos + 1, at, end, kind < DISCARD)
          pos = state.string.at
          if (stop === CLOSED) value = state.string.take()
          else if (stop === MORE) {
            state.mode = IN_STRING
            state.tokenAt = source.locate(start)
            break reading
          } else state.fail(state.string.problem, pos, pos)
          break
        }
        case DIGIT: {
          const negative = unit === 45
          const from = cls === SIGN ? pos + 1 : pos
          let at = from
          let number = 0
          while (at < end && (unit = units[at]!) >= 48 && unit <= 57) {
            number = number * 10 + (unit - 48)
            at++
          }
          let digits = at - from
          let fraction = -1
          const leadingZero = digits > 1 && units[from] === 48
          if (at < end && unit === 46 /* . */) {
            const point = at++
            while (at < end && (unit = units[at]!) >= 48 && unit <= 57) {
              number = number * 10 + (unit - 48)
              at++
            }
            fraction = at - point - 1
            digits += fraction
          }
          if (at === end && state.open(end)) break reading
          const over = at === end || classes[unit]! >= ENDS || unit === 35
          // Up to fifteen digits, and the power of ten, are exact: one division rounds once.
          if (over && digits <= 15 && !leadingZero) {
            if (fraction !== -1) number /= POWERS_OF_TEN[fraction]!
            value = negative && (number !== 0 || fraction !== -1) ? -number : number
            pos = at
            break
          }
          while (at < end && classes[(unit = units[at]!)]! < ENDS && unit !== 35) at++
          if (at === end && state.open(end)) break reading
          value = parseNumber(text.slice(pos, at))
          if (typeof value === 'string') state.fail(value, start, at)
          pos = at
          break
        }
        case SYMBOL: {
          let at = pos
          let hash = 0
          while (at < end && classes[(unit = units[at]!)]! < ENDS) {
            hash = (Math.imul(hash, 31) + unit) | 0
            at++
          }
          if (at === end && state.open(end)) break reading
          value = symbol(text, units, pos, at, hash)
          if (value === undefined) state.fail('not a symbol', start, at)
          pos = at
          break
        }
        case VECTOR:
          pos++
          opens = kind < DISCARD ? IN_VECTOR : SKIP_VECTOR
          if (kind < DISCARD) child = IN_VALUES
          break
        case MAP:
          pos++
          opens = kind < DISCARD ? FIELD_NAME : SKIP_KEY
          if (kind < DISCARD) child = NO_FIELDS
          break
        case LIST:
          pos++
          opens = kind < DISCARD ? IN_LIST : SKIP_LIST
          if (kind < DISCARD) child = new List()
          break
        case CLOSE:
          pos++
          if (CLOSER[kind] !== unit) state.fail(misfit(kind, unit), start, pos)
          if (kind === IN_VECTOR || kind === FIELD_NAME) {
            const base = bases[depth]!
            value = kind === IN_VECTOR ? items(values, base, count) : into.object(values, base)
            if (count > state.mostValues) state.mostValues = count
            count = base
          } else value = into
          held[depth] = undefined
          depth--
          kind = kinds[depth]!
          into = held[depth]
          key = keys[depth]
          mask = masks[depth]!
          break
        case HASH: {
          const frame = kind === TOP && pos + FRAME_UNITS < end ? frameAt(units, pos) : undefined
          if (frame !== undefined && state.maxDepth > 2) {
            // Both levels at once: nearly all that comes over a wire begins so.
            kinds[0] = TOP
            held[0] = into
            keys[0] = keys[1] = key
            masks[0] = mask
            kinds[1] = TAG
            held[1] = frame
            masks[1] = 0
            depth = 2
            kinds[2] = kind = IN_VECTOR
            held[2] = into = IN_VALUES
            bases[1] = bases[2] = count
            mask = 0
            pos += FRAME_UNITS
            continue
          }
          if (pos + 1 === end) {
            if (state.open(end)) break reading
            state.fail('the input ends behind #', end, end, true)
          }
          unit = units[pos + 1]!
          if (unit === 123 /* { */) {
            pos += 2
            opens = kind < DISCARD ? IN_SET : SKIP_SET
            if (kind < DISCARD) child = new EdnSet()
            break
          }
          if (unit === 95 /* _ */) {
            pos += 2
            opens = DISCARD
            break
          }
          let at = pos + 1
          let hash = 0
          while (at < end && classes[(unit = units[at]!)]! < ENDS) {
            hash = (Math.imul(hash, 31) + unit) | 0
            at++
          }
          if (at === end && state.open(end)) break reading
          unit = units[pos + 1]!
          if (unit === 35 /* # */) {
            value = parseSymbolic(text.slice(pos + 2, at))
            if (value === undefined) state.fail('not one of ##Inf, ##-Inf and ##NaN', start, at)
            pos = at
            break
          }
          child = tagName(text, units, pos + 1, at, hash)
          if (child === undefined) state.fail('not a tag', start, at)
          pos = at
          opens = kind < DISCARD ? TAG : SKIP_TAG
          break
        }
        case CHAR: {
          const at = pos + 1 < end ? atomEnd(text, pos + 2, end) : end
          if (at === end && state.open(end)) break reading
          if (pos + 1 === end) state.fail('the input ends behind \\', end, end, true)
          value = parseChar(text.slice(pos + 1, at))
          if (value === undefined) state.fail('not a character', start, at)
          pos = at
          break
        }
        case META:
          state.fail('metadata is not supported', start, pos + 1)
      }
      if (opens !== TOP) {
        kinds[depth] = kind
        held[depth] = into
        keys[depth] = key
        masks[depth] = mask
        if (++depth > state.maxDepth) state.fail('nested too deep', start, pos)
        kinds[depth] = kind = opens
        held[depth] = into = child
        bases[depth] = count
        mask = 0
        continue
      }
    }

    // A value is complete: hand it to what it is in, which may complete that in turn.
    for (;;) {
      switch (kind) {
        case IN_VECTOR:
          values[count++] = value
          continue reading
        case FIELD_VALUE:
          values[count++] = value
          kind = FIELD_NAME
          continue reading
        case IN_LIST:
          into.push(value)
          continue reading
        case OBJECT_VALUE:
          if (key === '__proto__') setOwn(into, key, value)
          else into[key] = value
          kind = OBJECT_KEY
          continue reading
        case FIELD_NAME:
          count = bases[depth]!
          into = into.object(values, count)
          mask = -1
          kind = OBJECT_KEY
          continue
        case OBJECT_KEY:
          if (value instanceof Keyword) {
            if (Object.hasOwn(into, value.name)) state.fail(`duplicate key :${value.name}`, start, pos)
            key = value.name
            mask = -1
            kind = OBJECT_VALUE
            continue reading
          }
          into = held[depth] = toMap(into)
          kind = MAP_KEY
          continue
        case MAP_KEY:
          if (into.has(value)) state.fail('duplicate key', start, pos)
          key = value
          kind = MAP_VALUE
          continue reading
        case MAP_VALUE:
          into.set(key, value)
          kind = MAP_KEY
          continue reading
        case IN_SET: {
          const before = into.size
          into.add(value)
          if (into.size === before) state.fail('duplicate member of a set', start, pos)
          continue reading
        }
        case TAG:
          value = state.tagged(into, value, start, pos)
          break
        case DISCARD:
        case SKIP_TAG:
          break
        case SKIP_KEY:
          kind = SKIP_VALUE
          continue reading
        case SKIP_VALUE:
          kind = SKIP_KEY
          continue reading
        case TOP:
        case SKIP_TOP:
          if (state.formEnds(kind, value, pos)) return true
          kind = TOP
          end = text.length
          continue reading
        default:
          continue reading
      }
      // A tag or discard has had its value.
      const discarded = kind === DISCARD
      held[depth] = undefined
      depth--
      kind = kinds[depth]!
      into = held[depth]
      key = keys[depth]
      mask = masks[depth]!
      if (discarded) {
        if (depth === 0) {
          state.formDropped(pos)
          kind = TOP
          end = text.length
        }
        continue reading
      }
    }
  }

  source.pos = pos
  state.depth = depth
  kinds[depth] = kind
  held[depth] = into
  keys[depth] = key
  masks[depth] = mask
  state.count = count
  if (end < text.length) state.tooLarge()
  return false
}
