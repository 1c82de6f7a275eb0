{{/*
The settings of a component that are no secrets, as a map: (list $ "ingest"). What a process does not use it is not told.
*/}}
{{- define "warroom.settings" -}}
{{ include "warroom.chartSettings" . }}
{{- range $name, $value := (index . 0).Values.settings }}
{{ $name }}: {{ $value | quote }}
{{- end }}
{{- end -}}

{{/* Those of them that the chart sees to itself. */}}
{{- define "warroom.chartSettings" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- with $root.Values -}}
WARROOM_TOPIC_PREFIX: {{ .kafka.topicPrefix | quote }}
WARROOM_CONSUMER_GROUP: {{ .kafka.consumerGroup | quote }}
{{- with .clickhouse.cluster }}
WARROOM_CLICKHOUSE_CLUSTER: {{ . | quote }}
{{- end }}
{{- if ne $component "migrate" }}
WARROOM_HTTP_HOST: "0.0.0.0"
WARROOM_HTTP_PORT: "8080"
WARROOM_EXTERNAL_URL: {{ .externalUrl | quote }}
{{- end }}
{{- if has $component (list "metrics" "alerts") }}
WARROOM_ALERTS_URL: "http://{{ include "warroom.fullname" $root }}-alerts:8080"
{{- end }}
{{- if has $component (list "ingest" "metrics") }}
WARROOM_KAFKA_BOOTSTRAP_SERVERS: {{ .kafka.bootstrapServers | quote }}
WARROOM_TOPIC_PARTITIONS: {{ .kafka.topicPartitions | quote }}
WARROOM_TOPIC_REPLICATION_FACTOR: {{ .kafka.topicReplicationFactor | quote }}
WARROOM_KAFKA_SECURITY_PROTOCOL: {{ .kafka.security.protocol }}
{{- if hasPrefix "SASL" .kafka.security.protocol }}
WARROOM_KAFKA_SASL_MECHANISM: {{ .kafka.security.mechanism }}
WARROOM_KAFKA_SASL_USERNAME: {{ .kafka.security.username | quote }}
{{- end }}
{{- end }}
{{- if and .access.oidc.issuer (has $component (list "metrics" "alerts")) }}
WARROOM_OIDC_ISSUER: {{ .access.oidc.issuer | quote }}
WARROOM_OIDC_ROLES: {{ .access.oidc.roles | toJson | quote }}
WARROOM_OIDC_NAME_CLAIM: {{ .access.oidc.nameClaim | quote }}
{{- with .access.oidc.clientId }}
WARROOM_OIDC_CLIENT_ID: {{ . | quote }}
{{- end }}
{{- with .access.oidc.audience }}
WARROOM_OIDC_AUDIENCE: {{ . | quote }}
{{- end }}
{{- end }}
{{- if and (eq $component "alerts") .alerts.rulesConfigMap }}
WARROOM_RULES_FILE: /etc/warroom/rules
{{- end }}
{{- if and (eq $component "alerts") .alerts.receiversSecret }}
WARROOM_RECEIVERS_FILE: /run/secrets/warroom/receivers/receivers.yaml
{{- end }}
{{- if and (eq $component "metrics") .metrics.rehearsalsClaim }}
WARROOM_REHEARSALS_DIR: /var/lib/warroom/rehearsals
{{- end }}
{{- end -}}
{{- end -}}

{{/*
The secrets of a component, as a list: (list $ "ingest"). Each is one file /run/secrets/warroom/ID/KEY out of a Secret that
is not the chart's, and the setting that says where it is. Directories are mounted, so that a new value arrives.
*/}}
{{- define "warroom.secrets" -}}
{{- $root := index . 0 -}}
{{- $component := index . 1 -}}
{{- $found := list -}}
{{- with $root.Values -}}
{{- $found = append $found (dict "id" "clickhouse" "from" .clickhouse.urlSecret "setting" "WARROOM_CLICKHOUSE_URL_FILE") -}}
{{- with .clickhouse.caSecret }}{{ if .name }}
{{- $found = append $found (dict "id" "clickhouse-ca" "from" . "setting" "WARROOM_CLICKHOUSE_CA_FILE") -}}
{{- end }}{{ end -}}
{{- if has $component (list "ingest" "metrics" "alerts") -}}
{{- $found = append $found (dict "id" "api-keys" "from" .access.apiKeysSecret "setting" "WARROOM_API_KEYS_FILE") -}}
{{- end -}}
{{- if has $component (list "metrics" "alerts") -}}
{{- $found = append $found (dict "id" "session-key" "from" .access.sessionKeySecret "setting" "WARROOM_SESSION_KEY_FILE") -}}
{{- if and .access.oidc.issuer .access.oidc.clientSecret.name -}}
{{- $found = append $found (dict "id" "oidc-client" "from" .access.oidc.clientSecret "setting" "WARROOM_OIDC_CLIENT_SECRET_FILE") -}}
{{- end -}}
{{- end -}}
{{- if eq $component "ingest" -}}
{{- $found = append $found (dict "id" "user-key" "from" .privacy.userKeySecret "setting" "WARROOM_USER_KEY_FILE") -}}
{{- end -}}
{{- if has $component (list "ingest" "metrics") -}}
{{- with .kafka.security -}}
{{- if hasPrefix "SASL" .protocol -}}
{{- $found = append $found (dict "id" "kafka-password" "from" .passwordSecret "setting" "WARROOM_KAFKA_SASL_PASSWORD_FILE") -}}
{{- end -}}
{{- if and (hasSuffix "SSL" .protocol) .caSecret.name -}}
{{- $found = append $found (dict "id" "kafka-ca" "from" .caSecret "setting" "WARROOM_KAFKA_SSL_CA_FILE") -}}
{{- end -}}
{{- if and (hasSuffix "SSL" .protocol) .clientCertificateSecret -}}
{{- $found = append $found (dict "id" "kafka-certificate" "from" (dict "name" .clientCertificateSecret "key" "tls.crt") "setting" "WARROOM_KAFKA_SSL_CERT_FILE") -}}
{{- $found = append $found (dict "id" "kafka-key" "from" (dict "name" .clientCertificateSecret "key" "tls.key") "setting" "WARROOM_KAFKA_SSL_KEY_FILE") -}}
{{- end -}}
{{- end -}}
{{- end -}}
{{- if and (eq $component "alerts") .alerts.webhookSecret.name -}}
{{- $found = append $found (dict "id" "webhook" "from" .alerts.webhookSecret "setting" "WARROOM_ALERT_WEBHOOK_URL_FILE") -}}
{{- end -}}
{{- end -}}
{{- $found | toJson -}}
{{- end -}}
