#!/bin/sh
# The parent of a wat-vm in POSIX shell. $1 is a folder for the pipes, the rest the command.
cd "$1" || exit 1
shift
mkfifo to from
WAT_ADDRESS=/sh/child "$@" <to >from &
exec 5>to 6<from
say() {
  printf '%s\n' "$1" >&5
}
hear() {
  IFS= read -r line <&6
  printf '%s\n' "$line"
}
hear
say '#wat/req [1 21]'
hear
say '4'
hear
say '#wat/req [2 "no number"]'
hear
say '#wat/stop {:grace-ms 2000}'
wait $!
echo "exit $?"
