#!/bin/sh
# A peer of wat in POSIX sh: copy this file, nothing needs to be installed. docs/protocol.md is what it follows.
#
#   $ printf '#wat/req [1 21]\n4\n' | sh peer.sh          # a child that doubles whole numbers
#   $ printf '21\n22\n' | sh peer.sh parent double.ts     # a parent: calls `wat double.ts` with each line
#
# A shell cannot parse EDN. This leans on one form per line, which is what a wat-vm writes, and on bodies without
# spaces. It does one thing at a time, so there is nothing to cancel.

# The program: sets $answer to the answer to $1, or $refusal and a status of 1.
double() {
  case ${1#-} in
    '' | *[!0-9]* | 0?* | ??????????????*) refusal='small whole numbers only' && return 1 ;;
  esac
  answer=$(($1 * 2))
}

serve() {
  # Frames move away: what else reads stdin or prints must not touch them.
  exec 3<&0 4>&1 </dev/null >&2
  [ -z "${WAT_ADDRESS+set}" ] || frame "#wat/ready {:protocol 1 :pid $$ :address \"${WAT_ADDRESS:-/}\"}"
  unset WAT_ADDRESS WAT_NAME WAT_STOP_GRACE_MS WAT_MAX_FRAME_BYTES WAT_LIFELINE_FD WAT_SPARE
  code=0
  while IFS= read -r line <&3 || [ -n "$line" ]; do
    case $line in
      '#wat/req ['[1-9]*' '*']')
        call=${line#*\[}
        id=${call%% *}
        body=${call#* }
        body=${body%]}
        # What follows behind another space are options, which mean nothing yet.
        if double "${body%% *}"; then
          frame "#wat/rep [$id $answer]"
        else
          frame "#wat/err [$id {:type :wat/denied :message \"$refusal\"}]"
        fi
        ;;
      '#wat/cancel ['*) ;; # it has been answered
      '#wat/stop {'*) exit "$code" ;;
      '' | ';'*) ;;
      '#wat/'[!b]*) fault malformed 'a child does not take this frame' 65 ;;
      *) if double "$line"; then frame "$answer"; else fault denied "$refusal" 1; fi ;;
    esac
  done
  exit "$code"
}

frame() { printf '%s\n' "$1" >&4; }

fault() {
  printf '#wat/fault {:type :wat/%s :message "%s"}\n' "$1" "$2" >&2
  [ "$3" -lt "$code" ] || code=$3
}

# Calls `wat` with every line of stdin, one after the other, prints the replies, and stops it.
parent() {
  folder=$(mktemp -d) && mkfifo "$folder/in" "$folder/out" || exit
  trap 'rm -rf "$folder"' EXIT
  trap 'exit 1' INT TERM HUP PIPE # our end closes its input, which is enough
  WAT_ADDRESS=/child wat "$@" <"$folder/in" >"$folder/out" &
  exec 3>"$folder/in" 4<"$folder/out"
  IFS= read -r ready <&4 || { wait $!; exit; }
  id=0
  while IFS= read -r body || [ -n "$body" ]; do
    id=$((id + 1))
    printf '#wat/req [%s %s]\n' "$id" "$body" >&3
    IFS= read -r reply <&4 || break
    case $reply in
      "#wat/rep [$id "*) reply=${reply#*\[* } && printf '%s\n' "${reply%]}" ;;
      *) printf '%s\n' "$reply" >&2 ;;
    esac
  done
  echo '#wat/stop {:grace-ms 5000}' >&3
  exec 3>&-
  wait $!
}

case $1 in
  parent) shift && parent "$@" ;;
  *) serve ;;
esac
