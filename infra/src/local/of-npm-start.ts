/**
 * What commands use when the environment names no database: that of npm start, with its keys and settings.
 *
 * @returns undefined in the image for production, which has no local stack (infra/deploy/image/contents.mjs)
 */
export async function ofNpmStart(): Promise<typeof import('./npm-start.js') | undefined> {
  try {
    return await import('./npm-start.js');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ERR_MODULE_NOT_FOUND') return undefined;
    throw error;
  }
}
