{{/* What would be installed and not work, or not be safe, is refused with a sentence that tells what to change. */}}
{{- define "warroom.refusals" -}}
{{- with .Values -}}
{{- if not .image.repository }}
{{- fail "image.repository: say where the image was pushed" }}
{{- end }}
{{- if not .externalUrl }}
{{- fail "externalUrl: say how people will reach this Warroom, e.g. https://warroom.example.com" }}
{{- end }}
{{- if not .kafka.bootstrapServers }}
{{- fail "kafka.bootstrapServers: say where Kafka is, host:port[,host:port]" }}
{{- end }}
{{- if not .clickhouse.urlSecret.name }}
{{- fail "clickhouse.urlSecret.name: name the Secret that holds ClickHouse's address" }}
{{- end }}
{{- if not .access.apiKeysSecret.name }}
{{- fail "access.apiKeysSecret.name: name the Secret with the API keys; without one the services would not start" }}
{{- end }}
{{- if not .access.sessionKeySecret.name }}
{{- fail "access.sessionKeySecret.name: name the Secret with the key of sessions; without one who signs in at one process is a stranger to the next" }}
{{- end }}
{{- with .access.oidc }}
{{- if and .issuer (not .roles) }}
{{- fail "access.oidc.roles: say which claims give which roles, or nobody of the provider may do anything" }}
{{- end }}
{{- if and .issuer (not .clientId) (not .audience) }}
{{- fail "access.oidc.clientId or access.oidc.audience: set the first for people, the second for access tokens" }}
{{- end }}
{{- if and (not .issuer) (or .clientId .audience .roles) }}
{{- fail "access.oidc.issuer: set it too, or take away what else is said of the provider" }}
{{- end }}
{{- end }}
{{- if not .privacy.userKeySecret.name }}
{{- fail "privacy.userKeySecret.name: name the Secret with the key that user ids are hashed with" }}
{{- end }}
{{- with .kafka.security }}
{{- if and (hasPrefix "SASL" .protocol) (or (not .username) (not .passwordSecret.name)) }}
{{- fail (printf "kafka.security.protocol is %s: set kafka.security.username and kafka.security.passwordSecret.name" .protocol) }}
{{- end }}
{{- if and (not (hasPrefix "SASL" .protocol)) (or .username .passwordSecret.name) }}
{{- fail (printf "kafka.security.username and passwordSecret would not be used with %s: set protocol to SASL_SSL, or remove them" .protocol) }}
{{- end }}
{{- if and (not (hasSuffix "SSL" .protocol)) (or .caSecret.name .clientCertificateSecret) }}
{{- fail (printf "kafka.security.caSecret and clientCertificateSecret would not be used with %s: set protocol to SSL or SASL_SSL, or remove them" .protocol) }}
{{- end }}
{{- if and (eq .protocol "SASL_PLAINTEXT") (eq .mechanism "PLAIN") }}
{{- fail "kafka.security: PLAIN over SASL_PLAINTEXT would send the password in the clear; set protocol to SASL_SSL" }}
{{- end }}
{{- end }}
{{- if and .monitoring.serviceMonitor.enabled (not .monitoring.serviceMonitor.keySecret.name) }}
{{- fail "monitoring.serviceMonitor.keySecret.name: name the Secret with the API key that Prometheus shows, or set enabled to false" }}
{{- end }}
{{- with .ingest.autoscaling }}
{{- if and (ne .mode "none") (gt (int .minReplicas) (int .maxReplicas)) }}
{{- fail "ingest.autoscaling.minReplicas is above maxReplicas: lower it" }}
{{- end }}
{{- if and (ne .mode "none") (gt (int .maxReplicas) (int $.Values.kafka.topicPartitions)) }}
{{- fail (printf "ingest.autoscaling.maxReplicas is %d and kafka.topicPartitions %d: a process more than partitions has nothing to read; lower it, or make topics with more partitions before the first event" (int .maxReplicas) (int $.Values.kafka.topicPartitions)) }}
{{- end }}
{{- if and .openings (ne .mode "keda") }}
{{- fail "ingest.autoscaling.openings need mode keda: set it, or take the openings away" }}
{{- end }}
{{- range .openings }}
{{- if gt (int .replicas) (int $.Values.ingest.autoscaling.maxReplicas) }}
{{- fail "ingest.autoscaling.openings ask for more replicas than maxReplicas: raise it, or lower them" }}
{{- end }}
{{- end }}
{{- end }}
{{- if and (eq .ingest.autoscaling.mode "none") (gt (int .ingest.replicas) (int .kafka.topicPartitions)) }}
{{- fail "ingest.replicas is above kafka.topicPartitions: a process more than partitions has nothing to read; lower it" }}
{{- end }}
{{- if and .metrics.autoscaling.enabled (gt (int .metrics.autoscaling.minReplicas) (int .metrics.autoscaling.maxReplicas)) }}
{{- fail "metrics.autoscaling.minReplicas is above maxReplicas: lower it" }}
{{- end }}
{{- if .networkPolicy.enabled }}
{{- range $what := list "kafka" "clickhouse" "dns" "prometheus" }}
{{- if not (index $.Values.networkPolicy $what).peers }}
{{- fail (printf "networkPolicy.%s.peers: say who that is, by an ipBlock or by labels of namespace and pods; without it nothing could be reached. Or set networkPolicy.enabled to false" $what) }}
{{- end }}
{{- end }}
{{- if and (hasKey .settings "WARROOM_TRACES_ENDPOINT") (not .networkPolicy.traces.peers) }}
{{- fail "networkPolicy.traces.peers: say who receives the traces of settings.WARROOM_TRACES_ENDPOINT; without it none would arrive. Or set networkPolicy.enabled to false" }}
{{- end }}
{{- if and .ingress.enabled (not .networkPolicy.ingress.peers) }}
{{- fail "networkPolicy.ingress.peers: say which pods send people's requests; without it nobody would get in. Or set networkPolicy.enabled to false" }}
{{- end }}
{{- end }}
{{- if .ingress.enabled }}
{{- if or (not .ingress.host) (not .ingress.tlsSecret) }}
{{- fail "ingress.host and ingress.tlsSecret: name the host of externalUrl and the Secret with its certificate, or set ingress.enabled to false" }}
{{- end }}
{{- if ne (get (urlParse .externalUrl) "hostname") .ingress.host }}
{{- fail (printf "ingress.host is %s and externalUrl %s: links would lead elsewhere; make them agree" .ingress.host .externalUrl) }}
{{- end }}
{{- end }}
{{- range $component := list "ingest" "metrics" "alerts" "migrate" }}
{{- $own := include "warroom.chartSettings" (list $ $component) | fromYaml }}
{{- range $name, $value := $.Values.settings }}
{{- if hasKey $own $name }}
{{- fail (printf "settings.%s is set by the chart itself: use the value that it comes from" $name) }}
{{- end }}
{{- end }}
{{- end }}
{{- end -}}
{{- end -}}
