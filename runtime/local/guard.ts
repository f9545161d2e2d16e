/** What the child's shell exits with when it could not leave a guard behind; the pipe of the guard confirms it. */
export const UNGUARDED_EXIT = 71

/**
 * Every signal but KILL, STOP, CHLD and CONT, by its number: names differ from shell to shell, and a program
 * may send any of them to its whole group. Elsewhere than on Linux the numbers of those four differ: CHLD
 * is taken back by name, and the others cannot be ignored or do no harm.
 */
export const IGNORED = Array.from({ length: 64 }, (_, n) => n + 1)
  .filter(signal => ![9, 17, 18, 19].includes(signal))
  .join(' ')

/**
 * What the guard does in the end. The child sees the end of its parent too (suspended or not: it is woken
 * up) and stops by itself. If half the grace finds it still there, it may be stuck, and whatever is below it
 * does not know: that gets SIGTERM. When the grace is over, or the child has gone (a zombie counts as gone:
 * nobody may be there to reap it), what is left of it and below it is killed. The groups below are those of
 * the process table at that moment, found by their parents. Without a /proc of this namespace of process
 * numbers the guard does not know what is below: then each level waits for the one above.
 *
 * It must be able to wait where no process can be started, and a shell that fails to start one ends, unless
 * that was inside `command eval`. So it waits by a `read` that times out, on a terminal that nobody has
 * opened at the other end, where the shell has that. dash does not: there `sleep` it is, and when that fails
 * the guard becomes a bash, where there is one. What is left then is to look at the clock again and again. Time is
 * that of /proc: on a busy machine a tenth of a second takes longer. Without it the tenths are counted, and one that
 * could not be waited for counts too: an early end is better than none.
 *
 * The shell runs this text from a variable, so it has no single quotes.
 */
const WATCH = `
trap "kill -9 0" EXIT
PATH=/bin:/usr/bin:$PATH
groups= proc=/nowhere
read -r stat </proc/self/stat && set -- \${stat##*) } && [ "$3" = "$child" ] && proc=/proc
below() {
  for task in $proc/$1/task/*/children; do
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
  groups=" $child"
  below "$child"
  for group in \${groups#*" $child"}; do
    for signal; do kill "-$signal" "-$group"; done
  done
}
clock() {
  read -r up rest </proc/uptime && now=$((\${up%.*} * 100 + 1\${up#*.} - 100))
}
pause() {
  if [ "$quiet" ]; then
    before=$now
    read -t 0.1 -r line <&9
    [ $? -gt 128 ] && return
    clock && [ $((now - before)) -ge 5 ] && return
    quiet=
  fi
  command eval "sleep 0.1" && return
  [ "$turned" ] && return
  turned=1
  export child ticks own end half turned watch
  command -v bash && exec bash -p -c "$watch"
}
if [ "$line" ]; then doom 9; exit; fi
kill -CONT 0
read -t 1 -r quiet </dev/null
if [ $? -gt 1 ]; then quiet=; else command eval "exec 9<>/dev/ptmx" && quiet=1; fi
[ "$turned" ] || { clock && end=$((now + ticks * 10)) half=$((now + ticks * 5)); }
while [ "$ticks" -gt 0 ] && kill -0 "$child"; do
  if clock && [ "$end" ]; then
    [ "$now" -ge "$end" ] && break
    if [ "$half" ] && [ "$now" -ge "$half" ]; then half=; doom TERM CONT; [ "$own" ] && kill -TERM 0; fi
  else
    ticks=$((ticks - 1))
  fi
  read -r stat <"$proc/$child/stat" && case $stat in *") Z "*) break ;; esac
  pause
done
doom 9
`

/**
 * The first thing that runs in a child: a few lines of POSIX shell that leave a guard behind and become
 * Node.
 *
 * The guard is a background shell in the child's own process group, deaf to every signal that can be
 * ignored. It blocks on a pipe whose other end only the parent holds:
 * - a line on it: the parent has seen the child exit, or has nothing left to look below it with. What is
 *   left below it and of the group is killed.
 * - its end: the parent is gone, however it died. `WATCH` says what happens then.
 *
 * `kill -9 0` means "my own group", so no number that may have been given to somebody else is ever
 * signalled: the guard is in the group, and while it is there the system gives that number to nobody. It is
 * the guard's EXIT trap: whatever ends the guard ends the group, so no child goes on without one. The traps
 * are set before the guard exists, so no signal finds it unprepared. The child's own shell ignores none, so
 * a signal in its first milliseconds ends it and is not lost, and it sets no variables, which might be the
 * program's. The guard is nobody's child, so that a kill which walks down the tree does not take it along:
 * it has to stay for whatever the group starts while it is being killed.
 *
 * Its pipe is not the lifeline, which ends in the same moment: Node makes that one non-blocking for all who
 * share it. A read that begins after that, or again after a SIGCONT or the thaw of a container, would fail,
 * which a shell cannot tell from the end.
 *
 * A shell that cannot fork ends at once. Then the child has no guard and must not begin: it says so on the
 * guard's pipe, which tells that end from one of a program with the same exit code.
 *
 * Then the protocol moves to descriptors 3 and 4 and the lifeline to 5, and stdout becomes stderr:
 * console output, raw writes and children that inherit stdio cannot touch a frame.
 */
const guard = (own: '' | 'TERM') => `
trap 'echo unguarded >&4; exit ${UNGUARDED_EXIT}' EXIT
( unset -f command kill read sleep; command trap '' ${IGNORED}; trap - CHLD; (
  trap 'kill -9 0' EXIT
  set +efu
  exec <&4 3<&- 4<&- >/dev/null 2>&1
  child=$$ ticks=$1 own=${own} end= half= turned= line= watch='${WATCH}'
  read -r line
  eval "$watch"
) & ) || exit
trap - EXIT
shift
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

/** What the parent writes to the guard when the child has exited, or is to be killed with what is below it. */
export const END_IT = 'end\n'

/** The lifeline's descriptor in the child. */
export const LIFELINE_FD = 5

/** The guard's time in tenths of a second: a little more than the child itself has. */
export function guardTicks(stopGraceMs: number): number {
  return Math.ceil(stopGraceMs / 100) + 2
}
