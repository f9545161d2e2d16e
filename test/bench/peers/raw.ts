import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { stringify } from 'wat-vm/edn'
import { bodyOf, type Size } from '../work.ts'
import { program, type Echo, type Peer } from './peer.ts'

/** The floor: Node's own pipes with no meaning on them. Bytes go out and as many come back. */
export const raw: Peer = {
  name: 'raw echo',
  async open(sizes): Promise<Echo> {
    const child = spawn(process.execPath, [fileURLToPath(program('raw-echo.ts'))], {
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    const { stdin, stdout } = child
    let onBytes = (_length: number) => {}
    stdout.on('data', (chunk: Buffer) => onBytes(chunk.length))
    const frames = new Map(sizes.map(size => [size, frameOf(size)]))

    return {
      exchange: (size, count, inFlight) =>
        new Promise(resolve => {
          const frame = frames.get(size) as Buffer
          const block = Buffer.concat(Array.from({ length: inFlight }, () => frame))
          let sent = 0
          let received = 0
          const fill = () => {
            const back = Math.floor(received / frame.length)
            if (back === count) return resolve()
            const more = Math.min(count, back + inFlight) - sent
            sent += more
            if (more > 0) stdin.write(block.subarray(0, more * frame.length))
          }
          onBytes = length => {
            received += length
            fill()
          }
          fill()
        }),
      close() {
        stdin.end()
        return once(child, 'exit')
      },
    }
  },
}

function frameOf(size: Size): Buffer {
  return Buffer.from(`#wat/req [1042 ${stringify(bodyOf(size))}]\n`)
}
