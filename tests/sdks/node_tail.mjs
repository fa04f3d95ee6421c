
// Appended to the how-to's code: makes the calls of a file, and says what the SDK says of them.
import { readFileSync as read, writeSync } from 'node:fs';

const say = (line) => writeSync(1, `${JSON.stringify(line)}\n`);
for (const type of ['track', 'identify', 'page', 'screen', 'group', 'alias']) {
  analytics.on(type, (ctx) => say({ delivered: ctx.event.messageId }));
}
analytics.on('error', ({ reason, ctx }) => say({ failed: String(reason), id: ctx?.event.messageId }));
for (const { type, ...call } of JSON.parse(read(process.argv[2], 'utf8'))) analytics[type](call);
say({ called: true });
