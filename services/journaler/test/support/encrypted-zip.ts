import { crc32 } from 'node:zlib';

/** A zip whose only file is marked as encrypted. APPNOTE.TXT 6.3.10, 4.4.4, bit 0 */
export function encryptedZip(): Buffer {
  const name = Buffer.from('hemmelig.txt');
  const content = Buffer.from('uleseligt indhold, som er krypteret');
  const common = (at: number, header: Buffer) => {
    header.writeUInt16LE(20, at); // version
    header.writeUInt16LE(1, at + 2); // encrypted
    header.writeUInt32LE(crc32(content), at + 10);
    header.writeUInt32LE(content.length, at + 14);
    header.writeUInt32LE(content.length, at + 18);
    header.writeUInt16LE(name.length, at + 22);
    return header;
  };
  const local = common(4, Buffer.alloc(30));
  local.writeUInt32LE(0x04034b50);
  const directory = common(6, Buffer.alloc(46));
  directory.writeUInt32LE(0x02014b50);
  const end = Buffer.alloc(22);
  end.writeUInt32LE(0x06054b50);
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(directory.length + name.length, 12);
  end.writeUInt32LE(local.length + name.length + content.length, 16);
  return Buffer.concat([local, name, content, directory, name, end]);
}
