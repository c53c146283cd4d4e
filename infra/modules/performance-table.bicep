// The table ModelPerformance_CL and the way in: whoever learns what really happened (a batch job, a service) posts how far off
// an answer was, and the rule of models.bicep alerts on the mean. Writing needs Monitoring Metrics Publisher on the rule here.

param location string
param tags object
param token string
param logsName string

var table = 'ModelPerformance_CL'
var stream = 'Custom-${table}'

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' existing = {
  name: logsName
}

resource performance 'Microsoft.OperationalInsights/workspaces/tables@2023-09-01' = {
  parent: logs
  name: table
  properties: {
    plan: 'Analytics'
    schema: {
      name: table
      columns: [
        {
          name: 'TimeGenerated'
          type: 'dateTime'
        }
        {
          name: 'EndpointName'
          type: 'string'
        }
        {
          name: 'DeploymentName'
          type: 'string'
        }
        {
          name: 'AbsoluteError'
          type: 'real'
        }
      ]
    }
  }
}

resource endpoint 'Microsoft.Insights/dataCollectionEndpoints@2023-03-11' = {
  name: 'dce-upkeep-${token}'
  location: location
  tags: tags
  properties: {
    networkAcls: {
      publicNetworkAccess: 'Enabled'
    }
  }
}

resource rule 'Microsoft.Insights/dataCollectionRules@2023-03-11' = {
  name: 'dcr-upkeep-performance-${token}'
  location: location
  tags: tags
  properties: {
    dataCollectionEndpointId: endpoint.id
    streamDeclarations: {
      '${stream}': {
        columns: [
          {
            name: 'TimeGenerated'
            type: 'datetime'
          }
          {
            name: 'EndpointName'
            type: 'string'
          }
          {
            name: 'DeploymentName'
            type: 'string'
          }
          {
            name: 'AbsoluteError'
            type: 'real'
          }
        ]
      }
    }
    destinations: {
      logAnalytics: [
        {
          name: 'logs'
          workspaceResourceId: logs.id
        }
      ]
    }
    dataFlows: [
      {
        streams: [
          stream
        ]
        destinations: [
          'logs'
        ]
        transformKql: 'source'
        outputStream: stream
      }
    ]
  }
  dependsOn: [
    performance
  ]
}

output endpointUri string = endpoint.properties.logsIngestion.endpoint
output ruleId string = rule.properties.immutableId
output ruleName string = rule.name
