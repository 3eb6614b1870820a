{{- define "indbakke.name" -}}
{{- if contains "indbakke" .Release.Name }}{{ .Release.Name | trunc 40 | trimSuffix "-" }}{{ else }}{{ printf "%s-indbakke" .Release.Name | trunc 40 | trimSuffix "-" }}{{ end -}}
{{- end }}

{{- define "indbakke.selector" -}}
app.kubernetes.io/name: indbakke
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- define "indbakke.labels" -}}
{{ include "indbakke.selector" . }}
app.kubernetes.io/version: {{ .Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .Chart.Name .Chart.Version }}
{{- end }}

{{- define "indbakke.image" -}}
{{- if .Values.image.digest }}{{ .Values.image.repository }}@{{ .Values.image.digest }}{{ else }}{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ end -}}
{{- end }}

{{- define "indbakke.secret" -}}
{{- required "existingSecret: name a secret that has the settings of secretSettings (docs/kubernetes.md)." .Values.existingSecret -}}
{{- end }}

{{/* A number as it was written: 1e+08 would be none for us. */}}
{{- define "indbakke.value" -}}
{{- if and (kindIs "float64" .) (eq (float64 (int64 .)) .) }}{{ int64 . }}{{ else }}{{ . }}{{ end -}}
{{- end }}

{{/* The settings of one service, those of secrets excepted: a dict of strings, as YAML. */}}
{{- define "indbakke.settings" -}}
{{- $own := index .root.Values .service -}}
{{- $settings := dict -}}
{{- if .root.Values.content.folder.enabled }}{{ $_ := set $settings "BLOB_URL" "file:///srv/indbakke/content" }}{{ end -}}
{{- range $name, $value := mergeOverwrite (dict) .root.Values.config $own.config -}}
{{- $_ := set $settings $name (include "indbakke.value" $value) -}}
{{- end -}}
{{- if not (hasKey $settings "BLOB_URL") }}{{ fail "config.BLOB_URL: name where content is, as content.folder is not enabled." }}{{ end -}}
{{- $_ := set $settings "HOST" "0.0.0.0" -}}
{{- $_ := set $settings "PORT" "8080" -}}
{{- $_ := set $settings "OPS_PORT" "9090" -}}
{{- if and (eq .service "receiver") .root.Values.receiver.tls.enabled -}}
{{- $_ := set $settings "SF1606_TLS_PORT" "8443" -}}
{{- $_ := set $settings "SF1606_TLS_KEY_FILE" "/etc/indbakke/tls/tls.key" -}}
{{- $_ := set $settings "SF1606_TLS_CERTIFICATE_FILE" "/etc/indbakke/tls/tls.crt" -}}
{{- end -}}
{{- toYaml $settings -}}
{{- end }}

{{/* Longer than the service takes at most: for requests, then for workers (SHUTDOWN_SECONDS each), and 5 s before. */}}
{{- define "indbakke.grace" -}}
{{- add (mul 2 (get . "SHUTDOWN_SECONDS" | default "60" | int)) 15 -}}
{{- end }}

{{- define "indbakke.podSecurity" -}}
runAsNonRoot: true
runAsUser: 10001
runAsGroup: 10001
fsGroup: 10001
fsGroupChangePolicy: OnRootMismatch
seccompProfile: { type: RuntimeDefault }
{{- end }}

{{- define "indbakke.containerSecurity" -}}
allowPrivilegeEscalation: false
readOnlyRootFilesystem: true
capabilities: { drop: [ALL] }
{{- end }}

{{- define "indbakke.placement" -}}
{{- with .Values.imagePullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- end }}

{{/* Paths of an Ingress: those with a regular expression, or the others. */}}
{{- define "indbakke.ingressPaths" -}}
{{- $root := .root -}}
{{- $isRegex := .regex -}}
{{- range .routes }}
{{- if eq (hasKey . "regex") $isRegex }}
- path: {{ .regex | default .path | quote }}
  pathType: {{ $isRegex | ternary "ImplementationSpecific" "Prefix" }}
  backend:
    service:
      name: {{ include "indbakke.name" $root }}-{{ .service }}
      port: { name: {{ .port }} }
{{- end }}
{{- end }}
{{- end }}
