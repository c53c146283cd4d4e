// Tells people of what Upkeep itself cannot mend: its own code failing, and events that could not be delivered to it.
// Nothing here is a decision about a model; those alerts are in models.bicep and go to the app.

import { Names } from 'names.bicep'

param location string
param tags object
param token string
param names Names

@description('Addresses, separated by commas.')
param emails string

@description('Ids of the system topics of Event Grid.')
param topicIds string[]

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: names.logs
}

resource people 'Microsoft.Insights/actionGroups@2023-01-01' = {
  name: 'ag-upkeep-people-${token}'
  location: 'global'
  tags: tags
  properties: {
    groupShortName: 'upkeeppeople'
    enabled: true
    emailReceivers: [for address in split(emails, ','): {
      name: trim(address)
      emailAddress: trim(address)
      useCommonAlertSchema: true
    }]
  }
}

// An invocation that fails is delivered again; one after another means that something is broken.
resource failing 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'upkeep-app-failing-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Upkeep: the app fails'
    description: 'More than ten invocations failed within a quarter of an hour. docs/azure/operations.md says where to look.'
    severity: 1
    enabled: true
    scopes: [
      logs.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    // The table comes into being with its first row.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: 'AppRequests | where AppRoleName == \'${names.app}\' and Success == false'
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 10
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

// Nothing that has live traffic is healthy, or a rollback has nothing to go to. The app says so once and changes nothing,
// so that the alert stays fired until a person closes it.
resource unhealthy 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'upkeep-nothing-healthy-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Upkeep: nothing healthy serves'
    description: 'No deployment of a model that has live traffic is healthy. docs/guide/guards.md says what to do.'
    severity: 0
    enabled: true
    scopes: [
      logs.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    skipQueryValidation: true
    autoMitigate: false
    criteria: {
      allOf: [
        {
          query: 'AppTraces | where AppRoleName == \'${names.app}\' and Message startswith \'release.nothing_healthy\''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

// A release stays where it is until somebody decides or mends something. The app says so once for each such state.
resource waiting 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: 'upkeep-waits-for-person-${token}'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: 'Upkeep: a release waits for a person'
    description: 'A candidate needs approval, or a rollout is held. `upkeep status` says why, and docs/guide/guards.md what to do.'
    severity: 2
    enabled: true
    scopes: [
      logs.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT15M'
    skipQueryValidation: true
    autoMitigate: false
    criteria: {
      allOf: [
        {
          query: 'AppTraces | where AppRoleName == \'${names.app}\' and Message startswith \'release.waits_for_person\''
          timeAggregation: 'Count'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: {
      actionGroups: [
        people.id
      ]
    }
  }
}

resource undelivered 'Microsoft.Insights/metricAlerts@2018-03-01' = [for topicId in topicIds: {
  name: 'upkeep-undelivered-${last(split(topicId, '/'))}'
  location: 'global'
  tags: tags
  properties: {
    description: 'Event Grid gave events up. They lie in the container deadletters; the sweep finds files that no event told of.'
    severity: 2
    enabled: true
    scopes: [
      topicId
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT1H'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'dead-lettered'
          metricNamespace: 'Microsoft.EventGrid/systemTopics'
          metricName: 'DeadLetteredCount'
          timeAggregation: 'Total'
          operator: 'GreaterThan'
          threshold: 0
        }
      ]
    }
    actions: [
      {
        actionGroupId: people.id
      }
    ]
  }
}]
