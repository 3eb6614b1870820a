"""Makes a FordelingsobjektModtagRequest by a WSDL with zeep and prints its envelope, in canonical form.

Usage: distribution-client.py WSDL-FILE
"""

import sys

import zeep
from lxml import etree

SYSTEM = {"UUID": "0f1e2d3c-4b5a-4978-8695-a4b3c2d1e0f9"}
EFFECT = {"Aktoer": SYSTEM, "AktoerType": "ItSystem"}

client = zeep.Client(sys.argv[1])
envelope = client.create_message(
    client.bind("DistributionServiceModtager", "DistributionReceiverWebServicePort"),
    "FordelingsobjektModtag",
    anmodning={
        "DistributionContext": {
            "AnvenderTransaktionsID": "3f1c0a52-8f7e-4a58-9d0b-6b1b7f0c2a11",
            "AfsendendeMyndighed": "11111111",
            "RoutingMyndighed": "22222222",
            "RoutingValg": {"RoutingKLEEmneHandling": {"RoutingKLEEmne": "27.24.00"}},
            "DokumentFilNavn": "udtalelse.pdf",
        },
        "DistributionObject": {
            "ObjektType": "DOKUMENT",
            "ObjektIndhold": {
                "DistributionDokument": {
                    "ID": "5b7e1c90-2d44-4f3b-9a6e-7c1d2e3f4a55",
                    "KLEEmneForslag": "27.24.00",
                    "Registrering": {
                        "FraTidsPunkt": "2026-01-15T09:30:00Z",
                        "LivscyklusKode": "Oprettet",
                        "RegistreringItSystem": SYSTEM,
                        "RelationListe": {
                            "VariantListe": {
                                "Variant": {
                                    "Virkning": EFFECT,
                                    "Rolle": "Variant",
                                    "Indeks": "1",
                                    "VariantAttributter": {"VariantType": "PDF"},
                                    "DelAttributter": {"DelTekst": "Hele dokumentet"},
                                }
                            }
                        },
                        "TilstandsListe": {"Tilstand": {"Fremdrift": "Endeligt", "Virkning": EFFECT}},
                        "AttributListe": {
                            "Attributter": {
                                "BrugervendtNoegleTekst": "DOK-1",
                                "TitelTekst": "Udtalelse",
                                "BeskrivelseTekst": "Eksempel",
                                "Dokumenttype": "Brev",
                                "Retning": "Indgaaende",
                                "Brevdato": "2026-01-15",
                                "Virkning": EFFECT,
                            }
                        },
                    },
                }
            },
        },
    },
)
print(etree.tostring(envelope, method="c14n2").decode())
