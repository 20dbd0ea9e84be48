// Reads an AsyncAPI document with the official parser; prints every finding that is an error, and fails if there is one.
import { readFile } from 'node:fs/promises'
import { Parser } from '@asyncapi/parser'

const { document, diagnostics } = await new Parser().parse(await readFile(process.argv[2], 'utf8'))
const errors = diagnostics.filter((finding) => finding.severity === 0)
for (const finding of errors) console.error(`${finding.path.join('/')}: ${finding.message}`)
console.log(JSON.stringify({ channels: document?.channels().all().length ?? 0, operations: document?.operations().all().length ?? 0 }))
process.exit(errors.length === 0 && document ? 0 : 1)
