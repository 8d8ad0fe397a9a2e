// One line of JSON for each test, for the Go test that runs us.
export default async function* reporter(events) {
  for await (const { type, data } of events) {
    if (type === 'test:stdout' || type === 'test:stderr') yield JSON.stringify({ say: data.message }) + '\n'
    if (type !== 'test:pass' && type !== 'test:fail') continue
    const error = data.details?.error
    yield JSON.stringify({
      name: data.name,
      file: data.file ?? '',
      nesting: data.nesting,
      pass: type === 'test:pass',
      skip: data.skip !== undefined || data.todo !== undefined,
      ms: data.details?.duration_ms ?? 0,
      error: error ? String(error.cause?.stack ?? error.cause ?? error.stack ?? error) : '',
    }) + '\n'
  }
}
