import { Title } from '../frame.js';
import type { Path } from '../router.js';

/** What the municipality has set up. */
export function SetUpPage(_: { readonly path: Path }) {
  return <Title>Opsætning</Title>;
}
