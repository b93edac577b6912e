-- Questions to the request log, one statement each. The last day, unless it says otherwise.

-- Whose fault: the share of each party in all requests.
SELECT
    if(VerdictParty = '', 'none', VerdictParty) AS party,
    count() AS requests,
    round(100 * requests / sum(requests) OVER (), 3) AS percent
FROM rayline.requests
WHERE EdgeStartTimestamp > now() - INTERVAL 1 DAY
GROUP BY party
ORDER BY requests DESC;

-- What fails most, since when, and where.
SELECT
    ZoneName, VerdictCode, count() AS failures, uniq(ClientIP) AS visitors,
    min(EdgeStartTimestamp) AS first, max(EdgeStartTimestamp) AS last,
    topK(3)(ClientRequestHost) AS hosts, topK(3)(OriginIP) AS origins
FROM rayline.requests
WHERE VerdictCode != '' AND EdgeStartTimestamp > now() - INTERVAL 1 DAY
GROUP BY ZoneName, VerdictCode
ORDER BY failures DESC
LIMIT 20;

-- Edge status against origin status: 5xx of ours have no origin status of 5xx beside them.
SELECT EdgeResponseStatus, OriginResponseStatus, count() AS requests
FROM rayline.requests
WHERE EdgeStartTimestamp > now() - INTERVAL 1 DAY
GROUP BY EdgeResponseStatus, OriginResponseStatus
ORDER BY requests DESC;

-- The failing share per minute and party.
SELECT
    toStartOfMinute(EdgeStartTimestamp) AS minute,
    countIf(VerdictParty = 'origin') / count() AS origin,
    countIf(VerdictParty = 'network') / count() AS network,
    countIf(VerdictParty = 'owner') / count() AS owner,
    countIf(VerdictParty = 'edge') / count() AS edge
FROM rayline.requests
WHERE EdgeStartTimestamp > now() - INTERVAL 1 HOUR
GROUP BY minute
ORDER BY minute;

-- Each address of an origin: how it fares, and how long it takes.
SELECT
    OriginIP, OriginPort, count() AS requests,
    round(100 * countIf(VerdictParty IN ('origin', 'network')) / requests, 2) AS failing_percent,
    quantile(0.5)(OriginResponseHeaderReceiveDurationMs) AS p50_ms,
    quantile(0.99)(OriginResponseHeaderReceiveDurationMs) AS p99_ms,
    round(100 * countIf(OriginConnectionReused) / requests, 1) AS reused_percent
FROM rayline.requests
WHERE OriginIP != '' AND EdgeStartTimestamp > now() - INTERVAL 1 DAY
GROUP BY OriginIP, OriginPort
ORDER BY requests DESC;

-- Failing paths, without their queries.
SELECT ClientRequestHost, cutQueryString(ClientRequestURI) AS path, VerdictCode, count() AS failures
FROM rayline.requests
WHERE VerdictCode != '' AND EdgeStartTimestamp > now() - INTERVAL 1 DAY
GROUP BY ClientRequestHost, path, VerdictCode
ORDER BY failures DESC
LIMIT 20;

-- Did a configuration do it: the failing share by version.
SELECT ZoneName, PlanVersion, min(EdgeStartTimestamp) AS since, count() AS requests,
    round(100 * countIf(VerdictCode != '' AND VerdictParty NOT IN ('visitor', 'policy')) / requests, 3) AS failing_percent
FROM rayline.requests
GROUP BY ZoneName, PlanVersion
ORDER BY ZoneName, PlanVersion;

-- What a code rests on: the evidence of the latest.
SELECT EdgeStartTimestamp, RayID, ClientRequestHost, VerdictCertainty, VerdictEvidence, VerdictAttempts
FROM rayline.requests
WHERE VerdictCode LIKE 'origin.%'
ORDER BY EdgeStartTimestamp DESC
LIMIT 10;

-- One request by its Ray ID.
SELECT * FROM rayline.requests WHERE RayID = '230b030023ae2822';
