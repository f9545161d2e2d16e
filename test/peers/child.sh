#!/bin/sh
# A child of a wat-vm in POSIX shell: frames on stdin and stdout, records on stderr.
echo "#wat/ready {:protocol 1 :pid $$ :address \"$WAT_ADDRESS\"}"
while IFS= read -r line; do
  case $line in
    '#wat/stop '*)
      echo '#wat/log {:level :info :message "sh stops"}' >&2
      exit 0
      ;;
    '#wat/cancel ['*) ;;
    '#wat/req ['*)
      line=${line#'#wat/req ['}
      line=${line%]}
      id=${line%% *}
      body=${line#* }
      case $body in
        :die)
          echo '#wat/panic {:type :wat/handler :message "sh gave up"}' >&2
          exit 9
          ;;
        *[!0-9]*) echo "#wat/err [$id {:type :wat/denied :message \"numbers only\" :data {:got $body}}]" ;;
        *) echo "#wat/rep [$id $((body * 2))]" ;;
      esac
      ;;
    *) printf '%s\n' "$line" ;;
  esac
done
