{{/*
A pod's template, but for what differs between long-lived services and jobs: (list $ "ingest" command).
*/}}
{{- define "warroom.podMeta" -}}
labels:
  {{- include "warroom.labels" . | nindent 2 }}
annotations:
  kubectl.kubernetes.io/default-container: {{ index . 1 }}
{{- end -}}

{{/* What holds for every pod: (list $ "ingest"). */}}
{{- define "warroom.podCommon" -}}
{{- $root := index . 0 -}}
{{- with $root.Values -}}
automountServiceAccountToken: false
# Kubernetes would add variables such as WARROOM_METRICS_PORT, in the name space of our settings.
enableServiceLinks: false
securityContext:
  runAsNonRoot: true
  runAsUser: {{ .pods.runAsUser }}
  runAsGroup: {{ .pods.runAsUser }}
  # So that it may read the secrets, and nobody else.
  fsGroup: {{ .pods.runAsUser }}
  fsGroupChangePolicy: OnRootMismatch
  seccompProfile: {type: RuntimeDefault}
{{- with .imagePullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
{{- with .pods.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with .pods.nodeSelector }}
nodeSelector: {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .pods.tolerations }}
tolerations: {{- toYaml . | nindent 2 }}
{{- end }}
{{- end -}}
{{- end -}}

{{/* Over nodes and zones: (list $ "ingest" whenNodesCannot). A cordoned node counts for nothing. */}}
{{- define "warroom.spread" -}}
topologySpreadConstraints:
  {{- range $key := list "kubernetes.io/hostname" "topology.kubernetes.io/zone" }}
  - topologyKey: {{ $key }}
    maxSkew: 1
    whenUnsatisfiable: {{ if eq $key "kubernetes.io/hostname" }}{{ index $ 2 }}{{ else }}ScheduleAnyway{{ end }}
    nodeTaintsPolicy: Honor
    # Only with others of the same release of the Deployment, or a rolling update would count those that are to go.
    matchLabelKeys: [pod-template-hash]
    labelSelector:
      matchLabels: {{- include "warroom.selector" (list (index $ 0) (index $ 1)) | nindent 8 }}
  {{- end }}
{{- end -}}

{{/* What holds for every container: (list $ "ingest"). */}}
{{- define "warroom.containerCommon" -}}
{{- $root := index . 0 -}}
image: {{ include "warroom.image" $root | quote }}
imagePullPolicy: {{ $root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: {drop: [ALL]}
{{- end -}}

{{- define "warroom.env" -}}
{{- $secrets := include "warroom.secrets" . | fromJsonArray -}}
env:
  {{- range $name, $value := include "warroom.settings" . | fromYaml }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  {{- range $secrets }}
  - {name: {{ .setting }}, value: /run/secrets/warroom/{{ .id }}/{{ .from.key }}}
  {{- end }}
{{- end -}}

{{- define "warroom.mounts" -}}
{{- $values := (index . 0).Values -}}
{{- $component := index . 1 -}}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  {{- range include "warroom.secrets" . | fromJsonArray }}
  - {name: {{ .id }}, mountPath: /run/secrets/warroom/{{ .id }}, readOnly: true}
  {{- end }}
  {{- if eq $component "alerts" }}
  {{- if $values.alerts.receiversSecret }}
  - {name: receivers, mountPath: /run/secrets/warroom/receivers, readOnly: true}
  {{- end }}
  {{- if $values.alerts.rulesConfigMap }}
  - {name: rules, mountPath: /etc/warroom/rules, readOnly: true}
  {{- end }}
  {{- end }}
  {{- if and (eq $component "metrics") $values.metrics.rehearsalsClaim }}
  - {name: rehearsals, mountPath: /var/lib/warroom/rehearsals, readOnly: true}
  {{- end }}
{{- end -}}

{{- define "warroom.volumes" -}}
{{- $values := (index . 0).Values -}}
{{- $component := index . 1 -}}
volumes:
  - name: tmp
    emptyDir: {sizeLimit: 256Mi}
  {{- range include "warroom.secrets" . | fromJsonArray }}
  - name: {{ .id }}
    secret:
      secretName: {{ .from.name }}
      defaultMode: 0440
      items: [{key: {{ .from.key }}, path: {{ .from.key }}}]
  {{- end }}
  {{- if eq $component "alerts" }}
  {{- with $values.alerts.receiversSecret }}
  - name: receivers
    secret: {secretName: {{ . }}, defaultMode: 0440}
  {{- end }}
  {{- with $values.alerts.rulesConfigMap }}
  - name: rules
    configMap: {name: {{ . }}}
  {{- end }}
  {{- end }}
  {{- if eq $component "metrics" }}
  {{- with $values.metrics.rehearsalsClaim }}
  - name: rehearsals
    persistentVolumeClaim: {claimName: {{ . }}, readOnly: true}
  {{- end }}
  {{- end }}
{{- end -}}

{{/*
The pod of a service: (list $ "ingest" whenNodesCannot preStopSeconds). It stops within 15 s of SIGTERM by itself, which
comes after the pause in which whoever sends it requests learns that it goes.
*/}}
{{- define "warroom.servicePod" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $pause := index . 3 -}}
metadata:
  {{- include "warroom.podMeta" . | nindent 2 }}
spec:
  serviceAccountName: {{ include "warroom.fullname" $root }}-{{ $component }}
  terminationGracePeriodSeconds: {{ add 25 $pause }}
  {{- include "warroom.podCommon" . | nindent 2 }}
  {{- include "warroom.spread" . | nindent 2 }}
  containers:
    - name: {{ $component }}
      {{- include "warroom.containerCommon" . | nindent 6 }}
      args: [{{ $component }}]
      ports:
        - {name: http, containerPort: 8080, protocol: TCP}
      {{- include "warroom.env" . | nindent 6 }}
      # Two minutes for the first answer; then alive is who answers at all, and ready is who does its work.
      startupProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 2
        timeoutSeconds: 2
        failureThreshold: 60
      livenessProbe:
        httpGet: {path: /healthz, port: http}
        periodSeconds: 10
        timeoutSeconds: 5
        failureThreshold: 6
      readinessProbe:
        httpGet: {path: /readyz, port: http}
        periodSeconds: 5
        timeoutSeconds: 3
        failureThreshold: 3
      {{- if $pause }}
      lifecycle:
        preStop: {sleep: {seconds: {{ $pause }}}}
      {{- end }}
      resources: {{- toYaml (index $root.Values $component).resources | nindent 8 }}
      {{- include "warroom.mounts" . | nindent 6 }}
  {{- include "warroom.volumes" . | nindent 2 }}
{{- end -}}

{{/* A service's own objects beside its Deployment. */}}
{{- define "warroom.serviceAccount" -}}
apiVersion: v1
kind: ServiceAccount
metadata:
  name: {{ include "warroom.fullname" (index . 0) }}-{{ index . 1 }}
  labels: {{- include "warroom.labels" . | nindent 4 }}
automountServiceAccountToken: false
{{- end -}}

{{- define "warroom.service" -}}
apiVersion: v1
kind: Service
metadata:
  name: {{ include "warroom.fullname" (index . 0) }}-{{ index . 1 }}
  labels: {{- include "warroom.labels" . | nindent 4 }}
spec:
  type: ClusterIP
  selector: {{- include "warroom.selector" . | nindent 4 }}
  ports:
    - {name: http, port: 8080, targetPort: http, protocol: TCP}
{{- end -}}

{{/* One at a time, and one that does not work never keeps a node from being emptied. */}}
{{- define "warroom.disruptionBudget" -}}
apiVersion: policy/v1
kind: PodDisruptionBudget
metadata:
  name: {{ include "warroom.fullname" (index . 0) }}-{{ index . 1 }}
  labels: {{- include "warroom.labels" . | nindent 4 }}
spec:
  maxUnavailable: 1
  unhealthyPodEvictionPolicy: AlwaysAllow
  selector:
    matchLabels: {{- include "warroom.selector" . | nindent 6 }}
{{- end -}}
