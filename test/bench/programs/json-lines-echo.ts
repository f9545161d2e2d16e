import { JsonLines } from './json-lines.ts'

const lines = new JsonLines(process.stdin, process.stdout)
lines.onMessage(message => lines.send(message))
