// Each entry of the package imports this before anything else, so that an older Node is told what is
// wrong instead of failing on something it lacks.

/** The oldest Node that strips types and has synchronous module hooks without a flag. */
const [major = 0, minor = 0] = process.versions.node.split('.').map(Number)
const supported = major > 23 || (major === 23 && minor >= 6) || (major === 22 && minor >= 18)

/** What loading the package fails with on a Node that is too old. */
export interface TooOld extends Error {
  code: 'ERR_WAT_NODE_VERSION'
  /** What is needed and how to get it, without the package's name. */
  needs: string
}

if (!supported) {
  const needs = `needs Node.js 22.18 or newer, this is ${process.version}; get one with npm i -g node@26, or with a version manager such as nvm, fnm or volta`
  throw Object.assign(new Error(`wat-vm ${needs}`), { code: 'ERR_WAT_NODE_VERSION', needs })
}
