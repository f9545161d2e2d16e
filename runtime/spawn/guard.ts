/**
 * The first thing that runs in a child: a few lines of POSIX shell that leave a guard behind and become
 * Node.
 *
 * The guard is a background shell in the child's own process group, deaf to what stops a process. It
 * blocks on the lifeline, a pipe whose other end only the parent holds:
 * - a line on it: the parent has seen the child exit. What is left of the group is killed.
 * - its end: the parent is gone, however it died. The child sees that too and stops by itself; when the
 *   grace is over (suspended or not: it is woken up), or the child has gone (a zombie counts as gone: nobody may be there to reap it), what
 *   is left of the group is killed.
 *
 * `kill -9 0` means "my own group", so no number that may have been given to somebody else is ever
 * signalled. The traps are set before the guard exists, so no signal finds it unprepared. It is nobody's
 * child, so that a kill which walks down the tree does not take it along: it has to stay for whatever the
 * group starts while it is being killed.
 *
 * Then the protocol moves to descriptors 3 and 4 and the lifeline to 5, and stdout becomes stderr:
 * console output, raw writes and children that inherit stdio cannot touch a frame.
 */
export const GUARD_SCRIPT = `
ticks=$1
shift
trap '' HUP INT QUIT TERM
( (
  exec <&3 3<&- >/dev/null 2>&1
  if read -r line; then kill -9 0; fi
  PATH=$PATH:/bin:/usr/bin
  kill -CONT 0
  clock() { read -r up rest </proc/uptime && up=\${up%.*}\${up#*.}; }
  clock && end=$((up + ticks * 10))
  while [ "$ticks" -gt 0 ] && kill -0 $$; do
    clock && [ "$up" -ge "$end" ] && break
    read -r stat </proc/$$/stat && case $stat in *') Z '*) break ;; esac
    sleep 0.1
    ticks=$((ticks - 1))
  done
  kill -9 0
) & )
trap - HUP INT QUIT TERM
exec "$@" 5<&3 3<&0 4>&1 </dev/null >&2
`

/** What the parent writes on the lifeline when the child has exited. */
export const CHILD_EXITED = 'exited\n'

/** The lifeline's descriptor in the child. */
export const LIFELINE_FD = 5

/**
 * The guard counts tenths of a second, by the clock of /proc where there is one: on a busy machine a
 * sleep of a tenth takes longer. Half a second more than the child itself has.
 */
export function guardTicks(stopGraceMs: number): number {
  return Math.ceil(stopGraceMs / 100) + 5
}
