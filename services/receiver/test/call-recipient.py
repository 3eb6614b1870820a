"""Calls FordelingsobjektModtag by a WSDL with a client that others wrote, and prints the receipt, or the fault, as JSON.

Usage: call-recipient.py zeep|suds WSDL URL < anmodning as JSON
"""

import json
import sys


def call_with_zeep(wsdl, url, request):
    import requests
    import zeep

    session = requests.Session()
    session.trust_env = False  # no proxy: the service is on this machine
    client = zeep.Client(wsdl, transport=zeep.Transport(session=session))
    binding = "{http://serviceplatformen.dk/xml/wsdl/soap11/DistributionService/2/port}DistributionServiceModtagerBinding"
    service = client.create_service(binding, url)
    try:
        receipt = service.FordelingsobjektModtag(anmodning=request)
    except zeep.exceptions.Fault as fault:
        return {"fault": fault.code, "detail": "".join(fault.detail.itertext())}
    return {"code": receipt.ForretningsValideringsKode, "kind": receipt.Kvitteringstype, "reason": receipt.Begrundelse}


def call_with_suds(wsdl, url, request):
    import suds
    from suds.client import Client

    client = Client(wsdl if "://" in wsdl else f"file://{wsdl}", location=url, cache=None)
    try:
        receipt = client.service.FordelingsobjektModtag(request)
    except suds.WebFault as fault:
        return {"fault": fault.fault.faultcode, "detail": str(fault.fault.detail)}
    receipt = getattr(receipt, "ForretningsKvittering", receipt)
    reason = getattr(receipt, "Begrundelse", None)
    return {"code": receipt.ForretningsValideringsKode, "kind": receipt.Kvitteringstype, "reason": reason}


library, wsdl, url = sys.argv[1:]
call = {"zeep": call_with_zeep, "suds": call_with_suds}[library]
print(json.dumps(call(wsdl, url, json.load(sys.stdin))))
