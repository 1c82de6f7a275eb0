{{/* Rules of network policies: whom a pod may reach, and who may reach it. */}}

{{- define "warroom.egressDns" -}}
- to: {{- toYaml .Values.networkPolicy.dns.peers | nindent 4 }}
  ports:
    - {protocol: UDP, port: 53}
    - {protocol: TCP, port: 53}
{{- end -}}

{{- define "warroom.egressClickhouse" -}}
{{- include "warroom.egressTo" .Values.networkPolicy.clickhouse }}
{{- end -}}

{{- define "warroom.egressTo" -}}
- to: {{- toYaml .peers | nindent 4 }}
  ports:
    {{- range .ports }}
    - {protocol: TCP, port: {{ . }}}
    {{- end }}
{{- end -}}

{{/* (list $ peers): the HTTP port for them. */}}
{{- define "warroom.ingressFrom" -}}
- from: {{- toYaml . | nindent 4 }}
  ports:
    - {protocol: TCP, port: http}
{{- end -}}

{{/* Pods of one component of this release, as a list of one peer: (list $ "test"). */}}
{{- define "warroom.peer" -}}
- podSelector:
    matchLabels: {{- include "warroom.selector" . | nindent 6 }}
{{- end -}}
