import { expect, test } from 'vitest'
import { redact } from '../../../../src/deploy/context/redact.ts'

const env = {
  DEPLOY_TOKEN: 'abcdef123',
  PASSWORD: 'abc',
  HOME: '/home/me',
  AWS_SECRET_ACCESS_KEY: 'xyz/123+abc',
}

test.each([
  ['fetching https://me:hunter2@example.com/app.git', 'fetching https://***@example.com/app.git'],
  ['fetching https://ghp_abc@example.com/app.git', 'fetching https://***@example.com/app.git'],
  ['curl -H abcdef123 xyz/123+abc', 'curl -H *** ***'],
  ['http://10.0.0.1:8998/0123456789abcdef0123456789abcdef/announce', 'http://10.0.0.1:8998/***/announce'],
  ['http://10.0.0.1:8998/announce', 'http://10.0.0.1:8998/announce'],
  ['{"password":"hunter2","user":"me"}', '{"password":"***","user":"me"}'],
  ['API_KEY=a1b2c3 make', 'API_KEY=*** make'],
  ['Authorization: Bearer abc.def', 'Authorization: Bearer ***'],
  ['-----BEGIN OPENSSH PRIVATE KEY-----\nabc\n-----END OPENSSH PRIVATE KEY-----', '***'],
  ['one two in /home/me on deploy@a.example.com:22', 'one two in *** on deploy@a.example.com:22'],
])('%s', (text, safe) => {
  expect(redact(text, env, ['/home/me'])).toBe(safe)
})
