// The other thread of the figures of channels: is told what to do with how many messages, and says when it is done.
import { parentPort, receiveMessageOnPort, workerData, type MessagePort } from 'node:worker_threads'
import { openChannel } from 'wat-vm/channel'

export type Task =
  | 'drain channel'
  | 'drain channel, awaited'
  | 'drain port'
  | 'drain posts'
  | 'echo channel'
  | 'echo port'
  | 'echo posts'

export interface Ends {
  down: SharedArrayBuffer
  up: SharedArrayBuffer
  port: MessagePort
}

const { down, up, port } = workerData as Ends
const reader = openChannel(down).reader()
const writer = openChannel(up).writer()
const into = new Uint8Array(reader.maxMessage)

let onPost = (_message: Uint8Array) => {}

/** What cannot be counted by the one who does it: events come one by one. */
function counted(count: number, each: (message: Uint8Array) => void): void {
  let left = count
  onPost = message => {
    each(message)
    if (--left === 0) done(count)
  }
}

const tasks: Record<Task, (count: number) => void | Promise<void>> = {
  'drain channel'(count) {
    for (let i = 0; i < count; i++) if (reader.tryReadInto(into) < 0) reader.readSync()
    done(count)
  },
  async 'drain channel, awaited'(count) {
    for (let i = 0; i < count; i++) await reader.read()
    done(count)
  },
  'drain port'(count) {
    counted(count, () => {})
    port.removeAllListeners('message').on('message', (message: Uint8Array) => onPost(message))
  },
  'drain posts': count => counted(count, () => {}),
  'echo channel'(count) {
    for (let i = 0; i < count; i++) {
      let length
      while ((length = reader.tryReadInto(into)) < 0) {}
      writer.tryWrite(into.subarray(0, length))
    }
    done(count)
  },
  'echo port'(count) {
    for (let i = 0; i < count; i++) {
      let received
      while (!(received = receiveMessageOnPort(port))) {}
      port.postMessage(received.message)
    }
    done(count)
  },
  'echo posts'(count) {
    counted(count, message => parentPort?.postMessage(message))
  },
}

parentPort?.on('message', (message: Uint8Array | { task: Task; count: number }) => {
  if (message instanceof Uint8Array) return onPost(message)
  parentPort?.postMessage('ready')
  void tasks[message.task](message.count)
})

function done(count: number): void {
  parentPort?.postMessage(count)
}
