"""The parent of a wat-vm, by TIERS.md alone: argv is the command, the only library is Python's own."""
import os, re, subprocess, sys

child = subprocess.Popen(
    sys.argv[1:],
    stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    env={**os.environ, "WAT_ADDRESS": "/python/child"},
    start_new_session=True,
)

def send(line):
    child.stdin.write(line.encode() + b"\n")
    child.stdin.flush()

def expect(pattern):
    line = child.stdout.readline().decode().rstrip("\n")
    if not re.fullmatch(pattern, line):
        sys.exit(f"expected {pattern}, got {line!r}")
    print(line)

expect(r'#wat/ready \{.*:protocol 1 .*:pid %d.*:address "/python/child".*\}|#wat/ready \{.*\}' % child.pid)
send("#wat/req [1 21]")
expect(r"#wat/rep \[1 42\]")
for n in range(2, 102):
    send(f"#wat/req [{n} {n}]")
replies = {}
for _ in range(2, 102):
    reply = re.fullmatch(r"#wat/rep \[(\d+) (\d+)\]", child.stdout.readline().decode().rstrip("\n"))
    replies[int(reply[1])] = int(reply[2])
if replies != {n: n * 2 for n in range(2, 102)}:
    sys.exit(f"wrong replies: {replies}")
send('#wat/req [102 "no number"]')
expect(r'#wat/err \[102 \{:type :wat/handler .*:message "not a number".*\}\]')
send("5")
expect(r"10")
send("#wat/req [103 :wait]")
send("#wat/cancel [103]")
send("#wat/req [104 1]")
expect(r"#wat/rep \[104 2\]")
send("#wat/stop {:grace-ms 2000}")
rest, records = child.communicate()
if rest.strip():
    sys.exit(f"unexpected: {rest}")
print(re.search(r'#wat/log .*"hook".*', records.decode())[0].count("/python/child"))
print("exit", child.returncode)
