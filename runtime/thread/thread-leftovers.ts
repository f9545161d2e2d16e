import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { isMainThread } from 'node:worker_threads'

/** How long the end of this process waits for threads that are told to end; they take a few of these. */
const END_MS = 200

/** A thread of this process, as the operating system knows it. */
interface Task {
  /** Its number, or 0 where the system has not told it. */
  readonly tid: number
  /** Tells it to end, without waiting for that. */
  end(): void
}

const tasks = new Set<Task>()

/**
 * From now on the end of this process waits for this thread no longer than it should, until the function it gives is
 * called. Node waits for all threads, and one that is in a call of the system or of native code cannot be ended.
 */
export function boundEndBy(task: Task): () => void {
  patchExit()
  tasks.add(task)
  return () => tasks.delete(task)
}

/**
 * Kills what a thread has started in the process group of this process, and what is below that: what a
 * synchronous call waits for. What has a group of its own has a life of its own.
 */
export function killStartedBy(tid: number): void {
  if (tid > 0) killGroupMembers(childrenOf(process.pid, tid), groupOf('self'))
}

let patched = false

/**
 * `reallyExit` is the last thing that `process.exit` does; there is no other place behind all that listens for the
 * end. A program's image is replaced without waiting for its threads.
 */
function patchExit(): void {
  if (patched || !isMainThread) return
  patched = true
  const node = process as unknown as { reallyExit: (code?: number) => never }
  const exit = node.reallyExit
  node.reallyExit = code => {
    if (!endTasks()) replaceBy(Number(code ?? process.exitCode ?? 0))
    return exit.call(process, code)
  }
  // An ordinary end of plain Node goes another way: behind all that listens for the end, it comes here too.
  process.on('exit', code => queueMicrotask(() => node.reallyExit(code)))
}

/** Ends the threads; false when one is still there after all the time it may take. */
function endTasks(): boolean {
  const known = [...tasks].filter(({ tid }) => tid > 0)
  for (const task of tasks) task.end()
  if (known.length === 0) return true
  const sleeper = new Int32Array(new SharedArrayBuffer(4))
  const deadline = performance.now() + END_MS
  // They may have threads of their own, of which nobody told.
  for (const tid of tidsOf('self')) if (tid !== process.pid) killStartedBy(tid)
  while (known.some(({ tid }) => existsSync(`/proc/self/task/${tid}`))) {
    if (performance.now() > deadline) return false
    Atomics.wait(sleeper, 0, 0, 1)
  }
  return true
}

function replaceBy(code: number): void {
  const { execve } = process as unknown as { execve?: (file: string, args: string[], env: object) => void }
  try {
    execve?.call(process, '/bin/sh', ['sh', '-c', `exit ${code & 0xff}`], {})
  } catch {
    // then Node waits for them
  }
}

function killGroupMembers(pids: number[], group: number): void {
  for (const pid of pids) {
    if (groupOf(pid) !== group) continue
    const below = tidsOf(pid).flatMap(tid => childrenOf(pid, tid))
    try {
      process.kill(pid, 'SIGKILL')
    } catch {
      // it went by itself
    }
    killGroupMembers(below, group)
  }
}

function childrenOf(pid: number, tid: number): number[] {
  const list = read(`/proc/${pid}/task/${tid}/children`).trim()
  return list === '' ? [] : list.split(' ').map(Number)
}

function groupOf(pid: number | 'self'): number {
  const stat = read(`/proc/${pid}/stat`)
  // The name stands in parentheses and may hold anything.
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[2])
}

function tidsOf(pid: number | 'self'): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).map(Number)
  } catch {
    return []
  }
}

function read(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return '' // gone meanwhile, or a system that does not tell
  }
}
