import { existsSync, readdirSync, readlinkSync } from 'node:fs'

/**
 * The pipes and sockets a process holds, as the system names them, from a descriptor on; none where
 * there is no /proc.
 */
export function pipeEnds(pid: number, from = 0): string[] {
  if (!existsSync('/proc/self/fd')) return []
  const fds = readdirSync(`/proc/${pid}/fd`).filter(fd => Number(fd) >= from)
  return [...new Set(fds.map(fd => target(pid, fd)))].filter(end => /^(pipe|socket):/.test(end))
}

function target(pid: number, fd: string): string {
  try {
    return readlinkSync(`/proc/${pid}/fd/${fd}`)
  } catch {
    return '' // closed in the meantime
  }
}
