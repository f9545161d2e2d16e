// A file that runs on another host, where it is not: it is sent, and so is what it imports.
import { hostname } from 'node:os'
import { self, serve } from 'wat-vm'
import { survivors } from '../shared/proc.ts'

await serve(async (request: 'where' | { survivors: number[] }): Promise<unknown> => {
  if (request !== 'where') return survivors(request.survivors, 1500)
  return { program: 'file', host: hostname(), pid: process.pid, args: self.args }
})
