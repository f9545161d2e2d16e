export default (body: unknown) => body
