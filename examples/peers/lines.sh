#!/bin/sh
# A peer of wat that knows no frames: it reads lines and prints lines, as any Unix filter does. Each is a plain value.
#   $ printf '21\n"x"\n' | sh lines.sh
#   {:line 1 :value 21}
#   {:line 2 :value "x"}
n=0
while IFS= read -r value || [ -n "$value" ]; do
  n=$((n + 1))
  printf '{:line %s :value %s}\n' "$n" "$value"
done
