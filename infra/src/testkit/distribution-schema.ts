import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DISTRIBUTION_SCHEMAS } from '@indbakke/receiver';

const ENVELOPE = 'http://schemas.xmlsoap.org/soap/envelope/';

/** SOAP 1.1, with one element in the Body. */
const SOAP_SCHEMA = `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema" targetNamespace="${ENVELOPE}" elementFormDefault="qualified">
  <xs:element name="Envelope">
    <xs:complexType>
      <xs:sequence>
        <xs:element name="Header" minOccurs="0">
          <xs:complexType>
            <xs:sequence>
              <xs:any namespace="##other" processContents="lax" minOccurs="0" maxOccurs="unbounded"/>
            </xs:sequence>
          </xs:complexType>
        </xs:element>
        <xs:element name="Body">
          <xs:complexType>
            <xs:choice>
              <xs:any namespace="##other"/>
              <xs:element name="Fault">
                <xs:complexType>
                  <xs:sequence>
                    <xs:element name="faultcode" type="xs:QName" form="unqualified"/>
                    <xs:element name="faultstring" type="xs:string" form="unqualified"/>
                    <xs:element name="detail" minOccurs="0" form="unqualified">
                      <xs:complexType>
                        <xs:sequence>
                          <xs:any namespace="##other"/>
                        </xs:sequence>
                      </xs:complexType>
                    </xs:element>
                  </xs:sequence>
                </xs:complexType>
              </xs:element>
            </xs:choice>
          </xs:complexType>
        </xs:element>
      </xs:sequence>
    </xs:complexType>
  </xs:element>
</xs:schema>`;

/** Says of documents whether they are valid, by xmllint. */
export interface SchemaCheck {
  /** @returns what is wrong with each, in xmllint’s words; undefined = valid */
  faultsOf(documents: readonly string[]): Promise<(string | undefined)[]>;
  close(): Promise<void>;
}

/**
 * A check by XML schemas of SF2900, with SOAP 1.1 around its messages.
 *
 * @param files of the schemas by namespace; by default, ours are written
 */
export async function openSchemaCheck(files?: Readonly<Record<string, string>>): Promise<SchemaCheck> {
  const folder = await mkdtemp(join(tmpdir(), 'indbakke-schema-'));
  const write = async (name: string, text: string) => {
    await writeFile(join(folder, name), text);
    return name;
  };
  const imports = Object.entries(files ?? (await ourFiles(write)));
  const locations = [...imports, [ENVELOPE, await write('soap.xsd', SOAP_SCHEMA)] as const].map(
    ([namespace, file]) => `<xs:import namespace="${namespace}" schemaLocation="${file}"/>`,
  );
  await write('all.xsd', `<xs:schema xmlns:xs="http://www.w3.org/2001/XMLSchema">${locations.join('')}</xs:schema>`);

  let calls = 0;
  return {
    async faultsOf(documents) {
      const call = calls++;
      const names = await Promise.all(documents.map((document, index) => write(`${call}-${index}.xml`, document)));
      const lines = (await xmllint(folder, names)).split('\n');
      if (lines.some((line) => line.includes('all.xsd'))) throw new Error(lines.join('\n'));
      const valid = new Set(lines);
      return names.map((name) => {
        if (valid.has(`${name} validates`)) return undefined;
        return lines.filter((line) => line.startsWith(name)).join('\n');
      });
    },
    close: () => rm(folder, { recursive: true }),
  };
}

async function ourFiles(write: (name: string, text: string) => Promise<string>): Promise<Record<string, string>> {
  const written = Object.entries(DISTRIBUTION_SCHEMAS).map(
    async ([namespace, schema], index) => [namespace, await write(`${index}.xsd`, schema)] as const,
  );
  return Object.fromEntries(await Promise.all(written));
}

/** What it prints: its exit status says of all files together whether they are valid. */
function xmllint(folder: string, names: readonly string[]): Promise<string> {
  const args = ['--noout', '--nonet', '--schema', 'all.xsd', ...names];
  return new Promise((resolve, reject) => {
    execFile('xmllint', args, { cwd: folder, maxBuffer: 64 * 2 ** 20 }, (error, _stdout, stderr) => {
      if (error && typeof error.code !== 'number') reject(error);
      else resolve(stderr);
    });
  });
}
