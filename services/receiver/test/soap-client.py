"""Sends one MeMo file through the WSDL with zeep and prints the receipt, or the fault, as JSON.

Usage: soap-client.py WSDL-URL MEMO-FILE
"""

import json
import sys

import requests
import zeep
from lxml import etree

session = requests.Session()
session.trust_env = False  # no proxy: the service is on this machine
client = zeep.Client(sys.argv[1], transport=zeep.Transport(session=session))
message = etree.parse(sys.argv[2]).getroot()

try:
    receipt = client.service.PostModtag(_value_1=message)
    answer = {
        "receiptStatus": receipt.receiptStatus,
        "transmissionId": receipt.transmissionId,
        "messageUUID": receipt.messageUUID,
        "timeStamp": receipt.timeStamp.isoformat(),
    }
except zeep.exceptions.Fault as fault:
    detail = {etree.QName(child).localname: child.text for child in fault.detail[0]}
    answer = {"code": fault.code, "message": fault.message, "detail": detail}

print(json.dumps(answer))
