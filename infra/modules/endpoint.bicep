// What an endpoint that `upkeep publish` made needs before its first deployment: logs, a right to read models, an alert on latency.

import { ModelWatch } from 'watch.bicep'
import { Names } from 'names.bicep'

param tags object
param names Names
param model ModelWatch

@description('The action group of people; empty: nobody is told of latency.')
param peopleId string

@description('The registry that models are taken from; empty: none.')
param sharedRegistryName string

param sharedRegistryGroup string

resource workspace 'Microsoft.MachineLearningServices/workspaces@2025-09-01' existing = {
  name: names.workspace
}

resource endpoint 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints@2025-09-01' existing = {
  parent: workspace
  name: model.endpoint
}

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: names.logs
}

// The traffic log is what a canary is judged by: without it every rollout is held for want of data.
resource diagnostics 'Microsoft.Insights/diagnosticSettings@2021-05-01-preview' = {
  scope: endpoint
  name: 'to-logs'
  properties: {
    workspaceId: logs.id
    logs: [
      {
        category: 'AmlOnlineEndpointTrafficLog'
        enabled: true
      }
      {
        category: 'AmlOnlineEndpointConsoleLog'
        enabled: true
      }
      {
        category: 'AmlOnlineEndpointEventLog'
        enabled: true
      }
    ]
  }
}

module reader 'endpoint-role.bicep' = {
  name: 'endpoint-role-${model.endpoint}'
  params: {
    storageName: names.storage
    principalId: endpoint.identity.principalId
    endpointName: model.endpoint
  }
}

module taker 'registry-role.bicep' = if (!empty(sharedRegistryName)) {
  name: 'registry-role-${model.endpoint}'
  scope: resourceGroup(sharedRegistryGroup)
  params: {
    registryName: sharedRegistryName
    principalId: endpoint.identity.principalId
    purpose: 'Deployments of ${model.endpoint} read their model.'
  }
}

// For people. Rollouts judge latency by the traffic log.
resource slow 'Microsoft.Insights/metricAlerts@2018-03-01' = if (!empty(peopleId) && model.latencyP95Ms > 0) {
  name: '${model.name}-latency'
  location: 'global'
  tags: tags
  properties: {
    description: 'One request in twenty of ${model.endpoint} takes longer than ${model.latencyP95Ms} ms.'
    severity: 3
    enabled: true
    scopes: [
      endpoint.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    autoMitigate: true
    criteria: {
      'odata.type': 'Microsoft.Azure.Monitor.SingleResourceMultipleMetricCriteria'
      allOf: [
        {
          criterionType: 'StaticThresholdCriterion'
          name: 'latency'
          metricNamespace: 'Microsoft.MachineLearningServices/workspaces/onlineEndpoints'
          metricName: 'RequestLatency_P95'
          timeAggregation: 'Average'
          operator: 'GreaterThan'
          threshold: model.latencyP95Ms
        }
      ]
    }
    actions: [
      {
        actionGroupId: peopleId
      }
    ]
  }
}
