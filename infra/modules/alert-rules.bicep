// The two rules of a model that the app acts on. Their names are what upkeep.yaml maps to a rollback or a training.
// A rule fires once and stays fired until its condition is gone (autoMitigate); the app acts on the firing alone.

import { ModelWatch } from 'watch.bicep'
import { Names } from 'names.bicep'

param location string
param tags object
param names Names
param model ModelWatch

@description('The action group that calls the app.')
param webhookId string

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: names.logs
}

// The deployment's fault: as in shared/adapters/traffic_log.py. 424 with a model's 4xx is a bad request and the caller's.
var fault = 'ResponseCode >= 500 or ResponseCode == 408 or (ResponseCode == 424 and ModelStatusCode >= 500)'
var answers = 'AmlOnlineEndpointTrafficLog | where EndpointName == \'${model.endpoint}\' and AzureMLWorkspaceName == \'${names.workspace}\''
// Without what Upkeep sends itself (smoke and load tests, probes): a candidate that fails them serves nobody.
var users = '${answers} | where UserAgent !startswith \'upkeep-probe\' and XMSClientRequestId !startswith \'upkeep-probe\''
var counted = 'summarize Requests = count(), Errors = countif(${fault}) | where Requests >= ${model.errorRateRequests}'
var errorRate = '${users} | ${counted} | project ErrorRatePct = 100.0 * Errors / Requests'

var known = 'ModelPerformance_CL | where EndpointName == \'${model.endpoint}\''
var mean = 'summarize Answers = count(), MeanAbsoluteError = avg(AbsoluteError) | where Answers >= ${model.meanErrorAnswers}'
var meanError = '${known} | ${mean} | project MeanAbsoluteError'

resource errorRateRule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = {
  name: '${model.name}-error-rate'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${model.name}-error-rate'
    description: 'More than ${model.errorRatePct} % of the answers of ${model.endpoint} were errors of the deployment.'
    severity: 1
    enabled: true
    scopes: [
      logs.id
    ]
    evaluationFrequency: 'PT5M'
    windowSize: 'PT15M'
    // The table comes into being with its first row, up to an hour after the diagnostic setting.
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: errorRate
          timeAggregation: 'Maximum'
          metricMeasureColumn: 'ErrorRatePct'
          operator: 'GreaterThan'
          threshold: model.errorRatePct
        }
      ]
    }
    actions: {
      actionGroups: [
        webhookId
      ]
      // Two models may share the name of a rule elsewhere; shared/triggers/alerts.py reads this.
      customProperties: {
        model: model.name
      }
    }
  }
}

resource meanErrorRule 'Microsoft.Insights/scheduledQueryRules@2023-12-01' = if (model.meanErrorAbove > 0) {
  name: '${model.name}-mae'
  location: location
  tags: tags
  kind: 'LogAlert'
  properties: {
    displayName: '${model.name}-mae'
    description: 'The mean absolute error of the answers of ${model.endpoint} has risen above ${model.meanErrorAbove}.'
    severity: 2
    enabled: true
    scopes: [
      logs.id
    ]
    evaluationFrequency: 'PT15M'
    windowSize: 'PT6H'
    skipQueryValidation: true
    autoMitigate: true
    criteria: {
      allOf: [
        {
          query: meanError
          timeAggregation: 'Average'
          metricMeasureColumn: 'MeanAbsoluteError'
          operator: 'GreaterThan'
          threshold: model.meanErrorAbove
        }
      ]
    }
    actions: {
      actionGroups: [
        webhookId
      ]
      customProperties: {
        model: model.name
      }
    }
  }
}
