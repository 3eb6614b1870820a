import { AbortMultipartUploadCommand, HeadObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { isNoSuchKey, isNoSuchUpload } from './s3-faults.js';

/** Where an object is. */
export interface S3Object {
  readonly Bucket: string;
  readonly Key: string;
}

/** Bytes; undefined when there is no such object. */
export async function sizeOfObject(client: S3Client, object: S3Object): Promise<number | undefined> {
  try {
    return (await client.send(new HeadObjectCommand(object))).ContentLength;
  } catch (error) {
    if (isNoSuchKey(error)) return undefined;
    throw error;
  }
}

/** Removes an upload in parts; does nothing when it has ended. */
export async function abortUpload(client: S3Client, object: S3Object, UploadId: string): Promise<void> {
  try {
    await client.send(new AbortMultipartUploadCommand({ ...object, UploadId }));
  } catch (error) {
    if (!isNoSuchUpload(error)) throw error;
  }
}
