import type { Visitor } from './visitor.js';

/** From a page of ours over the forms of the issuer and back, as somebody. @returns the way back, not yet gone */
export async function wayOverIssuer(visitor: Visitor, start: string, callback: string, login: string): Promise<string> {
  let url = start;
  for (let steps = 0; steps < 12; steps += 1) {
    const response = await visitor.go(url);
    const text = await response.text();
    const form = /action="([^"]+)"/.exec(text)?.[1];
    if (response.status === 200 && form) {
      const prompt = /name="prompt" value="(\w+)"/.exec(text)?.[1] ?? '';
      const sent = await visitor.post(new URL(form, url).href, { prompt, login, password: 'any' });
      url = new URL(sent.headers.get('location') ?? '', url).href;
    } else {
      url = new URL(response.headers.get('location') ?? '', url).href;
    }
    if (url.startsWith(callback)) return url;
  }
  throw new Error('The issuer did not lead back.');
}
