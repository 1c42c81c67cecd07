#!/usr/bin/env bash
# make scan: look for known vulnerabilities of everything that is shipped, jars and an image's system included, with
# grype or trivy if one of them is installed. IMAGE=name scans that image; without it, the SBOM is scanned.
# Ends with 1 if something high or critical is known that has a fix; .grype.yaml or .trivyignore say what is accepted.
set -euo pipefail
cd "$(dirname "$0")/.."

sbom=dist/sbom.cdx.json
image=${IMAGE:-}
if [ -n "$image" ] && ! command -v docker >/dev/null; then
  echo "scan: nothing was scanned, there is no docker here that could have $image."
  exit 0
fi
if command -v grype >/dev/null; then
  exec grype --only-fixed --fail-on high "${image:-sbom:$sbom}"
fi
if command -v trivy >/dev/null; then
  options=(--exit-code 1 --severity 'HIGH,CRITICAL' --ignore-unfixed)
  if [ -n "$image" ]; then exec trivy image "${options[@]}" "$image"; fi
  exec trivy sbom "${options[@]}" "$sbom"
fi
echo "scan: nothing was scanned, neither grype nor trivy is installed here."
