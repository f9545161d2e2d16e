// Nothing but what it awaits keeps this program running: its threads are unref'd.
import { Worker, workerData } from 'node:worker_threads'
import { createChannel, openChannel, type Channel } from '../../runtime/channel/index.ts'

if (workerData) {
  const nap = new Int32Array(new SharedArrayBuffer(4))
  const { up, down } = workerData as { up: SharedArrayBuffer; down: SharedArrayBuffer }
  const reader = openChannel(down).reader()
  const writer = openChannel(up).writer()
  Atomics.wait(nap, 0, 0, 100)
  writer.writeSync(new Uint8Array(3))
  Atomics.wait(nap, 0, 0, 100)
  while (reader.readSync()) {}
  Atomics.wait(nap, 0, 0, 100)
  writer.close()
} else {
  const up: Channel = createChannel()
  const down: Channel = createChannel({ bytes: 1024 })
  new Worker(new URL(import.meta.url), { workerData: { up: up.buffer, down: down.buffer } }).unref()
  const [reader, writer] = [up.reader(), down.writer()]
  const message = await reader.read()
  while (writer.tryWrite(new Uint8Array(400)) === 'sent') {}
  await writer.write(new Uint8Array(400))
  writer.close()
  const last = await reader.read()
  console.log(`read ${message?.length}, written, ${last ? 'more' : 'end'}`)
}
