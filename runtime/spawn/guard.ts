/**
 * The first thing that runs in a child: a few lines of POSIX shell that leave a guard behind and become
 * Node.
 *
 * The guard is a background shell in the child's own process group, deaf to what stops a process. It
 * blocks on a pipe whose other end only the parent holds:
 * - a line on it: the parent has seen the child exit. What is left of the group is killed.
 * - its end: the parent is gone, however it died. The child sees that too (suspended or not: it is woken
 *   up) and stops by itself. If half the grace finds it still there, it may be stuck, and whatever is
 *   below it does not know: that gets SIGTERM. When the grace is over, or the child has gone (a zombie
 *   counts as gone: nobody may be there to reap it), what is left of it and below it is killed.
 *
 * `kill -9 0` means "my own group", so no number that may have been given to somebody else is ever
 * signalled; the groups below are those of the process table at that moment, found by their parents.
 * The traps are set before the guard exists, so no signal finds it unprepared; the child's own shell sets
 * none, so a signal in its first milliseconds ends it and is not lost. The guard is nobody's child, so
 * that a kill which walks down the tree does not take it along: it has to stay for whatever the group
 * starts while it is being killed. Without /proc it knows neither what is below nor, on a busy machine,
 * how long a tenth of a second is: then each level waits for the one above.
 *
 * Its pipe is not the lifeline, which ends in the same moment: Node makes that one non-blocking for all who
 * share it. A read that begins after that, or again after a SIGCONT or the thaw of a container, would fail,
 * which a shell cannot tell from the end.
 *
 * Then the protocol moves to descriptors 3 and 4 and the lifeline to 5, and stdout becomes stderr:
 * console output, raw writes and children that inherit stdio cannot touch a frame.
 */
const guard = (own: '' | 'TERM') => `
ticks=$1 own=${own}
shift
( trap '' HUP INT QUIT TERM; (
  exec <&4 3<&- 4<&- >/dev/null 2>&1
  if read -r line; then kill -9 0; fi
  PATH=$PATH:/bin:/usr/bin
  kill -CONT 0
  clock() { read -r up rest </proc/uptime && now=\${up%.*}\${up#*.}; }
  below() {
    for task in /proc/$1/task/*/children; do
      list=
      read -r list <"$task"
      for kid in $list; do
        read -r stat <"/proc/$kid/stat" || continue
        set -- \${stat##*) }
        case "$groups " in *" $3 "*) ;; *) groups="$groups $3" ;; esac
        below "$kid"
      done
    done
  }
  doom() {
    groups=" $$"
    below $$
    for group in \${groups#*" $$"}; do kill "-$1" "-$group"; done
  }
  clock && end=$((now + ticks * 10)) half=$((now + ticks * 5))
  while [ "$ticks" -gt 0 ] && kill -0 $$; do
    clock && [ "$now" -ge "$end" ] && break
    if [ "$half" ] && [ "$now" -ge "$half" ]; then half=; doom TERM; [ "$own" ] && kill -TERM 0; fi
    read -r stat </proc/$$/stat && case $stat in *') Z '*) break ;; esac
    sleep 0.1
    ticks=$((ticks - 1))
  done
  doom 9
  kill -9 0
) & )
`

/** What becomes a wat-vm. */
export const GUARD_SCRIPT = `${guard('')}exec "$@" 5<&3 3<&0 4>&1 </dev/null >&2`

/**
 * What becomes a command that is not ours: the protocol stays on its stdin and stdout. It has no lifeline:
 * the end of its stdin is all it sees of its parent's death, and SIGTERM after half the grace.
 */
export const FOREIGN_SCRIPT = `${guard('TERM')}
command -v "$1" >/dev/null || { echo "no such command: $1" >&2; exit 127; }
exec "$@" 3<&- 4<&-`

/** What the parent writes to the guard when the child has exited. */
export const CHILD_EXITED = 'exited\n'

/** The lifeline's descriptor in the child. */
export const LIFELINE_FD = 5

/**
 * The guard counts tenths of a second, by the clock of /proc where there is one: on a busy machine a
 * sleep of a tenth takes longer. A little more than the child itself has.
 */
export function guardTicks(stopGraceMs: number): number {
  return Math.ceil(stopGraceMs / 100) + 2
}
