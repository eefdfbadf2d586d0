{{- define "labels" -}}
app.kubernetes.io/name: outbox-sidecar
app.kubernetes.io/instance: {{ .Release.Name }}
{{- end }}

{{- /* Arguments: the root, what to run, whether it answers probes, and whether it is asked for being ready. */ -}}
{{- define "container" -}}
{{- $root := .root -}}
name: outbox-sidecar
image: "{{ $root.Values.image.repository }}:{{ $root.Values.image.tag | default $root.Chart.AppVersion }}"
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
command: [/usr/bin/outbox-sidecar]
args: {{ concat (list "--config" "/etc/outbox-sidecar/sidecar.yaml") .run | toJson }}
{{- if .probes }}
ports:
  - {name: metrics, containerPort: 9464}
  - {name: probes, containerPort: 9465}
startupProbe:
  httpGet: {path: /startupz, port: probes}
  periodSeconds: 1
  failureThreshold: 120
livenessProbe:
  httpGet: {path: /livez, port: probes}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}
{{- if .ready }}
readinessProbe:
  httpGet: {path: /readyz, port: probes}
  periodSeconds: 5
  timeoutSeconds: 5
{{- end }}
resources: {{ toJson $root.Values.resources }}
securityContext:
  runAsNonRoot: true
  runAsUser: 65532
  runAsGroup: 65532
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
  - {name: outbox-sidecar-config, mountPath: /etc/outbox-sidecar, readOnly: true}
  - {name: outbox-sidecar-secret, mountPath: /run/secrets/outbox-sidecar, readOnly: true}
{{- end }}

{{- define "volumes" -}}
- name: outbox-sidecar-config
  configMap: {name: {{ .Release.Name }}}
- name: outbox-sidecar-secret
  secret: {secretName: {{ .Values.secret | default .Release.Name }}, defaultMode: 0444}
{{- end }}

{{- /* So that another configuration means other pods. */ -}}
{{- define "checksum" -}}
checksum/config: {{ toJson .Values.config | sha256sum }}
{{- end }}

{{- /* A Job can't be changed: one that would be another has another name. */ -}}
{{- define "job" -}}
{{- $spec := include "job.spec" . -}}
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .root.Release.Name }}-{{ .name }}-{{ printf "%s%s" $spec (toJson .root.Values.config) | sha256sum | trunc 8 }}
  labels:
    {{- include "labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .name }}
spec:
  {{- $spec | nindent 2 }}
{{- end }}

{{- define "job.spec" -}}
backoffLimit: 10
{{- with .deadline }}
activeDeadlineSeconds: {{ . }}
{{- end }}
ttlSecondsAfterFinished: {{ .keep }}
template:
  metadata:
    labels:
      {{- include "labels" .root | nindent 6 }}
      app.kubernetes.io/component: {{ .name }}
  spec:
    restartPolicy: Never
    automountServiceAccountToken: false
    terminationGracePeriodSeconds: {{ .root.Values.gracePeriodSeconds }}
    containers:
      - {{- include "container" . | nindent 8 }}
    volumes:
      {{- include "volumes" .root | nindent 6 }}
{{- end }}
