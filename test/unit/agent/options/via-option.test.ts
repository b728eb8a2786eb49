import { expect, test } from 'vitest'
import { parseVia } from '../../../../src/agent/options/via-option.ts'

test.each([
  ['ssh:b', { host: 'b', peerPort: 6881 }],
  ['ssh:deploy@b', { user: 'deploy', host: 'b', peerPort: 6881 }],
  ['ssh:deploy@10.0.0.1:2222/7000', { user: 'deploy', host: '10.0.0.1', port: 2222, peerPort: 7000 }],
  ['ssh:deploy@[fd00::1]:22', { user: 'deploy', host: 'fd00::1', port: 22, peerPort: 6881 }],
])('%s', (text, via) => expect(parseVia(text)).toEqual(via))

test.each([
  'b',
  'ssh:',
  'ssh:-oProxyCommand=x',
  'ssh:-l@b',
  'ssh:a b',
  'ssh:$(id)@b',
  'ssh:b:0',
  'ssh:b/99999',
  'ssh:b/x',
])('%j is refused', (text) => expect(parseVia(text)).toBeUndefined())
