/**
 * Whether a file is something else than its sender claims, in a way that matters to whoever opens it.
 *
 * @param declared the MIME type that the sender claims; '' = none
 * @param detected by `detectFormat`
 */
export function typeDiffers(declared: string, detected: string | null): boolean {
  const claimed = bareType(declared);
  if (!IS_TYPE.test(claimed) || UNKNOWN.test(claimed)) return false;
  const claims = formatOf(claimed);
  if (detected === null) return SIGNED.has(claims);
  const shown = bareType(detected);
  return claims !== formatOf(shown) && !isContainerOf(claimed, shown) && !isContainerOf(shown, claimed);
}

/** Without parameters, in lower case. */
function bareType(type: string): string {
  return (type.split(';', 1)[0] as string).trim().toLowerCase();
}

const IS_TYPE = /^[^/\s]+\/[^/\s]+$/;
/** Says that the sender does not know. */
const UNKNOWN = /^(application\/octet-stream|binary\/.*|application\/(x-)?(unknown|binary|download|force-download))$/;

/** MIME types that are no different, each with the reason. The first that fits counts. */
const FORMATS: readonly (readonly [format: string, types: RegExp])[] = [
  // Other names of one type
  ['jpeg', /^image\/(p?jpe?g|jfif)$/],
  ['png', /^image\/(x-|a|vnd\.mozilla\.a)?png$/],
  ['bmp', /^image\/(x-)?(ms-)?bmp$/],
  ['gif', /^image\/gif$/],
  ['webp', /^image\/webp$/],
  ['pdf', /^(application|text)\/(x-)?pdf$/],
  ['gzip', /^application\/(x-)?(gzip|tgz|gtar|compressed-tar)$/],
  ['mp3', /^audio\/(x-)?(mp3|mpeg3?|mpg)$/],
  ['wav', /^audio\/(x-|vnd\.)?(wav|wave|pn-wav)$/],
  ['avi', /^video\/(x-|vnd\.)?(avi|msvideo)$/],
  ['mpeg', /^video\/(x-)?(mpeg|mpg|mp1s|mp2p|mp2t)$/],
  ['flac', /^audio\/(x-)?flac$/],
  ['rar', /^application\/(x-|vnd\.)?rar(-compressed)?$/],
  ['7z', /^application\/(x-)?7z-compressed$/],
  ['exe', /^application\/(x-msdownload|x-dosexec|x-msdos-program|vnd\.microsoft\.portable-executable)$/],
  // Raw photographs are TIFF inside
  ['tiff', /^image\/(x-)?(tiff?|canon-cr2|nikon-nef|sony-arw|adobe-dng)$/],
  // Brands of one container, which cameras and phones name as they like, and whether it has pictures is deeper inside
  ['iso-media', /^((video|audio)\/(x-)?(mp4|m4[abpv]|quicktime|3gpp2?|mp4a-latm)|audio\/(x-)?aac)$/],
  ['heif', /^image\/(heic|heif|avif)(-sequence)?$/],
  ['ogg', /^(audio|video|application)\/(x-)?(ogg|opus|vorbis)$/],
  ['matroska', /^(audio|video)\/(x-)?(webm|matroska)$/],
  ['asf', /^(audio|video|application)\/(x-|vnd\.)?ms-(asf|wm[av])$/],
  // Macros run, so they are a difference
  ['word with macros', /^application\/vnd\.ms-word.*macroenabled/],
  ['excel with macros', /^application\/vnd\.ms-excel.*macroenabled/],
  ['powerpoint with macros', /^application\/vnd\.ms-powerpoint.*macroenabled/],
  // One program opens all of its formats, whatever their extension; Word also writes RTF as .doc
  [
    'word',
    /^(application\/(msword|(x-)?rtf|vnd\.openxmlformats-officedocument\.wordprocessingml\..*)|text\/(rtf|richtext))$/,
  ],
  ['excel', /^application\/vnd\.(ms-excel|openxmlformats-officedocument\.spreadsheetml\..*)$/],
  ['powerpoint', /^application\/vnd\.(ms-powerpoint|openxmlformats-officedocument\.presentationml\..*)$/],
  ['zip', /^application\/(x-)?zip(-compressed)?$/],
  // Text has no signature, and XML one that all its types share
  ['text', /^(text\/.*|message\/rfc822|application\/(json|(x-)?javascript|(x-)?csv|xml)|.*\+(xml|json))$/],
];

/** Formats whose files show what they are. Not Excel: browsers call CSV so. Sound and video may begin anywhere. */
const SIGNED = new Set(['pdf', 'jpeg', 'png', 'gif', 'tiff', 'bmp', 'webp', 'heif', 'zip', 'word', 'powerpoint']);

function formatOf(type: string): string {
  return FORMATS.find(([, types]) => types.test(type))?.[0] ?? type;
}

/** Whose first bytes may show the container only; encrypted Office documents are in the container of the old ones. */
const CONTAINERS: readonly (readonly [container: RegExp, contents: RegExp])[] = [
  [
    /^application\/(x-)?zip(-compressed)?$/,
    /office|opendocument|macroenabled|\+zip$|java-archive|msword|ms-excel|ms-powerpoint/,
  ],
  [/^application\/x-cfb$/, /office|msword|vnd\.ms-|vnd\.visio/],
];

function isContainerOf(container: string, content: string): boolean {
  return CONTAINERS.some(([containers, contents]) => containers.test(container) && contents.test(content));
}
