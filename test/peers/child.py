"""A child of a wat-vm, by TIERS.md alone: frames on stdin and stdout, records on stderr."""
import os, re, sys

def say(line):
    sys.stdout.write(line + "\n")
    sys.stdout.flush()

say('#wat/ready {:protocol 1 :pid %d :address "%s"}' % (os.getpid(), os.environ["WAT_ADDRESS"]))
held = []
for line in sys.stdin:
    line = line.strip()
    if line.startswith("#wat/stop"):
        print('#wat/log {:level :info :message "python stops"}', file=sys.stderr, flush=True)
        sys.exit(0)
    request = re.fullmatch(r"#wat/req \[(\d+) (.*)\]", line)
    cancel = re.fullmatch(r"#wat/cancel \[(\d+)\]", line)
    if cancel:
        say('"cancelled %s"' % cancel[1])
    elif not request:
        say(line)  # a plain value goes back as one
    elif request[2] == ":hold":
        held.append(request[1])
    elif request[2] == ":release":
        for one in reversed(held):
            say("#wat/rep [%s :released]" % one)
        say("#wat/rep [%s %d]" % (request[1], len(held)))
    elif re.fullmatch(r"-?\d+", request[2]):
        say("#wat/rep [%s\n  %d] ; doubled" % (request[1], int(request[2]) * 2))
    elif request[2] == ":die":
        print('#wat/panic {:type :wat/handler :message "python gave up"}', file=sys.stderr, flush=True)
        os._exit(9)
    else:
        say('#wat/err [%s {:type :wat/denied :message "numbers only" :data {:got %s}}]' % (request[1], request[2]))
