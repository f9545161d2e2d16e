import type { Lab } from './lab.ts'
import type { Live } from './live.ts'

/** It stands in the command line of the shell, of `script` above it and of what that starts it by. */
export const SHELL = 'bash --norc --noprofile -i'

/** An interactive shell on a pseudo-terminal of its own (needs `script` and `bash`). */
export function interactive(lab: Lab): Live {
  return lab.command('script', ['-qec', `ulimit -c 0; ${SHELL}`, '/dev/null'], {
    env: { TERM: 'dumb', PS1: '$ ' },
  })
}

/** The status of what it ran last. */
export async function status(shell: Live): Promise<string | undefined> {
  shell.write('echo "status=$?"\n')
  return /status=(\d+)/.exec(await shell.stdout.match(/status=\d+/))?.[1]
}

export async function leave(shell: Live): Promise<void> {
  shell.write('exit\n')
  await shell.end()
}
