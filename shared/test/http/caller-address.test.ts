import express from 'express';
import { afterEach, describe, expect, it } from 'vitest';
import { addressOf, type Listening, listen } from '../../src/http/index.js';

let listening: Listening;
afterEach(() => listening.close(0));

/** The address of a caller that sends this header, where these proxies are trusted. */
async function addressBehind(
  proxies: string[] | undefined,
  forwardedFor?: string,
  HOST = '127.0.0.1',
): Promise<string> {
  const app = express();
  app.set('trust proxy', proxies ?? false);
  app.get('/', (req, res) => void res.send(addressOf(req)));
  listening = await listen(app, { HOST, PORT: 0, KEEP_ALIVE_SECONDS: 1 }, () => {});
  const url = listening.url.replace('[::]', '127.0.0.1');
  const answer = await fetch(url, forwardedFor === undefined ? {} : { headers: { 'x-forwarded-for': forwardedFor } });
  return answer.text();
}

describe('the address of a caller is', () => {
  it.each<[string, string[] | undefined, string | undefined, string]>([
    ['that of the connection', undefined, undefined, '127.0.0.1'],
    ['that of the connection, whatever the caller writes', undefined, '203.0.113.7', '127.0.0.1'],
    ['that of the connection, if another proxy is trusted', ['10.0.0.0/8'], '203.0.113.7', '127.0.0.1'],
    ['what a trusted proxy tells', ['127.0.0.1'], '203.0.113.7', '203.0.113.7'],
    [
      'what the last trusted proxy tells, not what the caller wrote',
      ['127.0.0.1'],
      '198.51.100.1, 203.0.113.7',
      '203.0.113.7',
    ],
    [
      'what the first of several trusted proxies tells',
      ['127.0.0.1', '10.0.0.0/8'],
      '203.0.113.7, 10.1.2.3',
      '203.0.113.7',
    ],
    ['an IPv6 address', ['127.0.0.1'], '2001:db8::7', '2001:db8::7'],
    ['an IPv4 address written as IPv6', ['127.0.0.1'], '::ffff:203.0.113.7', '203.0.113.7'],
    ['that of the proxy, if what it tells is no address', ['127.0.0.1'], 'Test Testesen', '127.0.0.1'],
    ['that of the proxy, if it tells nothing', ['127.0.0.1'], undefined, '127.0.0.1'],
  ])('%s', async (_what, proxies, forwardedFor, address) => {
    expect(await addressBehind(proxies, forwardedFor)).toBe(address);
  });

  it('an IPv4 address also where the server listens to both kinds', async () => {
    expect(await addressBehind(undefined, undefined, '::')).toBe('127.0.0.1');
  });
});
