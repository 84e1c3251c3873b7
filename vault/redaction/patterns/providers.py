"""The forms of providers' keys and tokens, which tell what they are wherever they stand."""

from __future__ import annotations

import re
from typing import Final

_FORMS: Final = (
    # clouds
    r"(?:AKIA|ASIA|AROA|ABIA|ACCA)[0-9A-Z]{16}\b",
    r"AIza[0-9A-Za-z_-]{30,40}",
    r"ya29\.[0-9A-Za-z_-]{20,250}",
    r"GOCSPX-[0-9A-Za-z_-]{20,40}",
    r"(?:AccountKey|SharedAccessKey)=[0-9A-Za-z+/]{40,90}={0,2}",
    r"sig=[0-9A-Za-z%+/]{40,90}={0,2}",
    r"LTAI[0-9A-Za-z]{12,24}\b",
    r"AKID[0-9A-Za-z]{13,40}\b",
    r"do[opr]_v1_[0-9a-f]{40,64}",
    r"HRKU-[0-9A-Za-z_-]{30,70}",
    r"fo1_[0-9A-Za-z_-]{40,50}",
    r"(?:rnd|nfp|vcp)_[0-9A-Za-z]{24,60}",
    r"cfp?_[0-9A-Za-z]{30,60}",
    r"dapi[0-9a-f]{32}(?:-\d)?\b",
    r"pscale_(?:tkn|oauth|pw)_[0-9A-Za-z_.=-]{30,70}",
    r"sb(?:p|_secret)_[0-9A-Za-z_-]{30,60}",
    r"[0-9A-Za-z]{14}\.atlasv1\.[0-9A-Za-z_=-]{60,90}",
    r"hv[sbr]\.[0-9A-Za-z_-]{20,200}",
    r"dp\.(?:pt|st|ct|sa|scim|audit)\.[0-9A-Za-z._-]{38,80}",
    r"pul-[0-9a-f]{40}\b",
    # models
    r"sk-(?=[A-Za-z_-]{0,60}\d)(?:ant-|proj-|or-|svcacct-)?[0-9A-Za-z_-]{16,250}",
    r"(?:hf|api_org)_[0-9A-Za-z]{20,60}",
    r"r8_[0-9A-Za-z]{30,40}",
    r"gsk_[0-9A-Za-z]{30,60}",
    r"(?:pplx|xai)-[0-9A-Za-z]{30,90}",
    r"nvapi-[0-9A-Za-z_-]{40,80}",
    r"pcsk_[0-9A-Za-z_]{40,90}",
    r"lsv2_(?:pt|sk)_[0-9a-f]{32}_[0-9a-f]{10}\b",
    r"tvly-[0-9A-Za-z-]{30,60}",
    r"jina_[0-9A-Za-z_-]{50,70}",
    # code and packages
    r"gh[opusr]_[0-9A-Za-z]{16,255}",
    r"github_pat_[0-9A-Za-z_]{20,255}",
    r"gl(?:pat|ptt|dt|rt|soat|cbt|oas|agent)-[0-9A-Za-z_.-]{16,80}",
    r"npm_[0-9A-Za-z]{30,40}",
    r"pypi-[0-9A-Za-z_-]{30,250}",
    r"dckr_pat_[0-9A-Za-z_-]{20,40}",
    r"AT(?:ATT|BB|CTT)[0-9A-Za-z_=-]{20,250}",
    r"ATTA[0-9a-f]{60,80}",
    r"(?:sgp|bkua)_[0-9a-f_]{40,60}\b",
    r"CCIPAT_[0-9A-Za-z_]{40,90}",
    r"sntry[su]_[0-9A-Za-z+/=_]{30,250}",
    r"NRAK-[0-9A-Z]{20,30}",
    r"gl(?:sa|c)_[0-9A-Za-z+/=_]{30,200}",
    r"dt0c01\.[0-9A-Z]{24}\.[0-9A-Z]{64}\b",
    r"PMAK-[0-9a-f]{20,30}-[0-9a-f]{30,40}",
    r"phc_[0-9A-Za-z]{30,60}",
    r"tskey-[0-9A-Za-z-]{20,80}",
    r"ops_[0-9A-Za-z_-]{40,250}",
    r"AGE-SECRET-KEY-1[0-9A-Z]{50,60}",
    r"00(?=[0-9A-Za-z_-]{0,39}[A-Z])(?=[0-9A-Za-z_-]{0,39}[g-z])[0-9A-Za-z_-]{40}(?![0-9A-Za-z_-])",
    # messages and mail
    r"xox[abeoprs][.-][0-9A-Za-z.-]{10,250}",
    r"xapp-[0-9A-Za-z-]{10,250}",
    r"\d{8,10}:AA[0-9A-Za-z_-]{26,36}",
    r"[MNO][0-9A-Za-z_-]{22,26}\.[0-9A-Za-z_-]{6}\.[0-9A-Za-z_-]{27,40}",
    r"SG\.[0-9A-Za-z_-]{16,32}\.[0-9A-Za-z_-]{30,64}",
    r"key-[0-9a-f]{32}\b",
    r"[0-9a-f]{32}-us\d{1,2}\b",
    r"xkeysib-[0-9a-f]{40,64}-[0-9A-Za-z]{10,20}",
    r"(?:AC|SK)[0-9a-f]{32}\b",
    r"EAA[0-9A-Za-z][0-9A-Za-z_-]{29,250}",
    # money and shops
    r"(?:sk|pk|rk)_(?:live|test)_[0-9A-Za-z]{10,247}",
    r"sk_[0-9a-f]{40,64}\b",
    r"whsec_[0-9A-Za-z+/=]{20,64}",
    r"shp(?:at|ca|pa|ss)_[0-9A-Fa-f]{24,40}",
    r"sq0(?:atp|csp|idp)-[0-9A-Za-z_-]{20,60}",
    r"rzp_(?:live|test)_[0-9A-Za-z]{10,30}",
    r"FLWSECK[0-9A-Za-z_-]{20,60}",
    r"APP_USR-[0-9A-Za-z-]{20,100}",
    # tables, notes and designs
    r"pat[0-9A-Za-z]{14}\.[0-9a-f]{64}\b",
    r"(?:secret|ntn)_[0-9A-Za-z]{30,60}",
    r"lin_api_[0-9A-Za-z]{30,50}",
    r"figd_[0-9A-Za-z_-]{30,60}",
    r"apify_api_[0-9A-Za-z]{30,50}",
)
KNOWN: Final = re.compile(rf"(?<![A-Za-z0-9_])(?:{'|'.join(_FORMS)})")

SIGNS: Final = (
    r"(?:sk|pk|rk)_(?:live|test)_|\bsk-\w|gh[opusr]_|github_pat_|gl(?:pat|ptt|dt|rt|soat|cbt|oas|agent)-|xox[abeoprs][.-]|xapp-",
    r"ya29\.|gocspx-|\bsg\.|npm_|pypi-|\bhf_|api_org_|do[opr]_v1_|shp(?:at|ca|pa|ss)_|sq0(?:atp|csp|idp)-|key-[0-9a-f]{16}",
    r"rzp_(?:live|test)_|whsec_|age-secret-key-|dckr_pat_|lin_api_|sntry[su]_|\d{8,10}:aa|xkeysib-|r8_|gsk_|pplx-|tskey-",
    r"hv[sbr]\.|nrak-|[mno][0-9a-z_-]{22,26}\.[0-9a-z_-]{6}\.|\bops_|figd_|nvapi-|secret_|ntn_|pmak-|phc_|xai-|\bcfp?_|flwseck|app_usr-",
    r"\b(?:akia|asia|aroa|abia|acca|atta|ltai|akid|dapi)[0-9a-z]{8}|\b(?:aiza|atatt|atbb|atctt|eaa)[0-9a-z_=-]{8}|\b(?:ac|sk)[0-9a-f]{30}|\bsk_[0-9a-f]{4}",
    r"[0-9a-f]{32}-us\d|\b00[0-9a-z_-]{40}|\bpat[0-9a-z]{14}\.[0-9a-f]{16}|(?:accountkey|sharedaccesskey)=|\bsig=|hrku-|\bfo1_|\.atlasv1\.",
    r"\b(?:rnd|nfp|vcp|sgp|bkua|ccipat|jina|pcsk)_|pscale_|\bsb(?:p|_secret)_|\bdp\.(?:pt|st|ct|sa|scim|audit)\.|\bpul-|lsv2_|tvly-|\bgl(?:sa|c)_",
    r"dt0c01\.|apify_api_",
)
"""What of them stands in the lower case of a text, so that the gate fires."""
