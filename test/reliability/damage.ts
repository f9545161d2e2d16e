import type { Random } from './random.ts'

const frames = [
  '#wat/req [1 {:op :get :path ["a" \\b 3.5 42N 1/2] :é "😀\\n"}]\n',
  '#wat/req [2 #{1 [2] nil}]\n',
  '#wat/rep [1 {:a 1 :b [true false]}]\n',
  '#wat/rep [3 nil]\n',
  '#wat/err [2 {:type :wat/handler :message "no" :cause {:type :wat/timeout}}]\n',
  '#wat/cancel [1]\n',
  '#wat/ready {:protocol 1 :pid 7 :address "/x"}\n',
  '#inst "2026-11-21T00:00:00.000-00:00" #uuid "f81d4fae-7dec-11d0-a765-00a0c91e6bf6"\n',
  '"plain" :word sym (1 2 3) ##NaN #_ignored ; comment\n',
  '#wat/bytes "aGk="\n',
  '[[[[[[[[[[]]]]]]]]]]\n',
  '#wat/call [5 {:to 1 :refs [[1 {:address "/y"}]] :timeout-ms 500} #wat/ref 0]\n',
  '#wat/ret [1 {:refs [[2 {:kind :stream}]]} [#wat/ref 0]]\n',
  '#wat/lines {}\n',
  raw(1200, '#wat/rep [1 {:a #wat/bytes 0}]\n'),
  raw(3, '#wat/req [3 #wat/bytes 0]\n'),
  raw(70_000, '#wat/bytes 0\n'),
].map(frame => Buffer.from(frame as string))

/** A frame with raw bytes ahead of it, which are of all kinds. */
function raw(length: number, frame: string): Buffer {
  const header = Buffer.from([0xff, 1, 0, 0, 0, 0])
  header.writeUInt32BE(length, 2)
  return Buffer.concat([
    header,
    Buffer.alloc(length, '#wat/req [4 x]\n\xff\x01', 'latin1'),
    Buffer.from(frame),
  ])
}

const tokens = [
  '[',
  ']',
  '{',
  '}',
  '(',
  ')',
  '#{',
  '"',
  '\\',
  '#',
  '#_',
  ';',
  ':',
  '##',
  '#wat/',
  '\n',
  '\r',
  '\0',
  '1e9',
  '-',
  'N',
  '/',
  '\\u',
  '#wat/rep [9007199254740993 1]',
]
const badBytes = [0x80, 0xc0, 0xed, 0xf5, 0xff, 0xe2]

/** A stream of frames with something wrong in it, the same for the same generator. */
export function damaged(random: Random): Uint8Array {
  let bytes = Buffer.concat(Array.from({ length: 1 + random.below(8) }, () => random.pick(frames)))
  for (let n = random.below(6); n > 0; n--) bytes = damage(bytes, random)
  return bytes
}

function damage(bytes: Buffer<ArrayBuffer>, random: Random): Buffer<ArrayBuffer> {
  const at = random.below(bytes.length + 1)
  const to = at + random.below(20)
  const [before, after] = [bytes.subarray(0, at), bytes.subarray(at)]
  switch (random.below(6)) {
    case 0:
      return Buffer.concat([before, bytes.subarray(to)])
    case 1:
      return Buffer.concat([before, bytes.subarray(at, to), after])
    case 2:
      return Buffer.concat([before, Buffer.from(random.pick(tokens)), after])
    case 3:
      return Buffer.concat([before, Buffer.from([random.pick(badBytes)]), after])
    case 4:
      return Buffer.from(before)
    default:
      return Buffer.concat([before, Buffer.from(random.pick(tokens).repeat(1 + random.below(3000))), after])
  }
}
