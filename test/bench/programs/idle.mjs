process.stdin.resume()
process.stdout.write('ready\n')
