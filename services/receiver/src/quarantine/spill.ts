import { INSTALLATION } from '@indbakke/shared/audit';
import { createSealer, type HashingThread, type SealedContainer, type SealedFile } from '@indbakke/shared/content';
import { openSealed } from '@indbakke/shared/inbox';
import type { Parts } from '@indbakke/shared/service';
import { newId } from '@indbakke/shared/store';
import type { Spill } from '@indbakke/shared/xml';

export type SpillParts = Pick<Parts, 'blobs' | 'keys'> & { readonly hashingThread: HashingThread };

/** A container of its own, which is removed in the end. A crash leaves it as an orphan. */
export function openSpill({ blobs, keys, hashingThread }: SpillParts): Spill {
  const id = newId();
  const sealer = createSealer({ blobs, keys, hashingThread, messageId: id, smallBytes: 0 });
  const file = sealer.openFile(0);
  let failure: unknown;
  let sealed: Promise<readonly [SealedFile, SealedContainer]> | undefined;

  const commit = async () => {
    if (failure) throw failure;
    return [await file.end(), (await sealer.commit({ municipality: INSTALLATION })) as SealedContainer] as const;
  };
  return {
    async write(bytes) {
      try {
        if (!failure) await file.write(bytes);
      } catch (error) {
        failure = error; // the message itself may still be stored
      }
    },
    async *read() {
      sealed ??= commit();
      const [{ size }, { place, wrappedKey }] = await sealed;
      const { keyId, wrapped } = wrappedKey;
      const blobName = 'blobName' in place ? place.blobName : null;
      yield* await openSealed(
        { blobs, keys },
        { id, municipality: INSTALLATION, keyId, wrappedKey: wrapped, blobName, container: null, size },
      );
    },
    async drop() {
      const [, container] = (await sealed?.catch(() => undefined)) ?? [];
      if (container && 'blobName' in container.place) await blobs.remove(container.place.blobName);
      else await sealer.abort();
    },
  };
}
