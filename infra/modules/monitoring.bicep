// Log Analytics, and Application Insights on top of it. Both refuse keys: whoever writes or reads shows an Entra token.

import { Names } from 'names.bicep'

param location string
param tags object
param names Names

@description('Days for which logs are kept.')
param logDays int

resource logs 'Microsoft.OperationalInsights/workspaces@2023-09-01' = {
  name: names.logs
  location: location
  tags: tags
  properties: {
    sku: {
      name: 'PerGB2018'
    }
    retentionInDays: logDays
    features: {
      disableLocalAuth: true
      enableLogAccessUsingOnlyResourcePermissions: true
    }
  }
}

resource insights 'Microsoft.Insights/components@2020-02-02' = {
  name: names.insights
  location: location
  tags: tags
  kind: 'web'
  properties: {
    Application_Type: 'web'
    DisableLocalAuth: true
    WorkspaceResourceId: logs.id
  }
}

output logsName string = logs.name
output logsCustomerId string = logs.properties.customerId
output insightsId string = insights.id
