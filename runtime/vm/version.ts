/** The oldest Node that runs TypeScript and has synchronous module hooks without a flag. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const supported = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

// Before anything else, so that an older Node says this instead of failing on something it lacks.
if (!supported) {
  process.stderr.write(`wat: needs Node.js 22.18 or newer, this is ${process.version}\n`)
  process.exit(64)
}
