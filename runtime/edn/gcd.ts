/**
 * The greatest common divisor of two bigints that are not negative. By Lehmer's method: what the leading bits
 * determine of Euclid's steps is done in numbers, and catches up with the bigints some 26 bits at once.
 */
export function gcd(first: bigint, second: bigint): bigint {
  let [a, b] = first < second ? [second, first] : [first, second]
  let shift = b > MAX_SAFE ? 4 * a.toString(16).length : 0
  while (b > MAX_SAFE) {
    let x = Number(a >> BigInt(shift))
    while (x < LEAST_LEADING && shift > 0) {
      shift = Math.max(0, shift - LEADING_BITS + bitsOf(x))
      x = Number(a >> BigInt(shift))
    }
    let y = Number(b >> BigInt(shift))
    // `a` and `b` are so many times what they were: Knuth, The Art of Computer Programming, 4.5.2, algorithm L.
    let [aa, ab, ba, bb] = [1, 0, 0, 1]
    while (y + ba !== 0 && y + bb !== 0) {
      const quotient = Math.floor((x + aa) / (y + ba))
      if (quotient !== Math.floor((x + ab) / (y + bb))) break
      ;[aa, ba] = [ba, aa - quotient * ba]
      ;[ab, bb] = [bb, ab - quotient * bb]
      ;[x, y] = [y, x - quotient * y]
    }
    if (ab === 0) [a, b] = [b, a % b]
    else [a, b] = [BigInt(aa) * a + BigInt(ab) * b, BigInt(ba) * a + BigInt(bb) * b]
  }
  if (b === 0n) return a
  let [x, y] = [Number(b), Number(a % b)]
  while (y !== 0) [x, y] = [y, x % y]
  return BigInt(x)
}

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER)
/** As many as a number holds exactly, also with a cofactor added. */
const LEADING_BITS = 52
const LEAST_LEADING = 2 ** (LEADING_BITS - 6)

const bitsOf = (number: number): number => (number === 0 ? 0 : Math.floor(Math.log2(number)) + 1)
